/** Events between their arrival and whoever reads them. */

/** Turns an event into what a reader wants of it, or undefined where it wants nothing. */
export type Select<Event, Item> = (event: Event) => Item | undefined;

/** From how many on events that were read are let go, while others wait. */
const COMPACT_AT = 1_024;

type Waiter<Event> = {
  offer(event: Event): boolean;
  end(error: Error | undefined): void;
};

/** A queue that is read asynchronously, and ends in order or with an error, after all its events. */
export class Inbox<Event> {
  #events: Event[] = [];
  #head = 0;
  #waiters: Waiter<Event>[] = [];
  #ended = false;
  #error: Error | undefined;

  /** How many events nobody has read. */
  get unread(): number {
    return this.#events.length - this.#head;
  }

  push(event: Event): void {
    const [waiter] = this.#waiters;
    if (waiter === undefined) this.#events.push(event);
    else if (waiter.offer(event)) this.#waiters.shift();
  }

  /** Ends the reading, once what is there was read. */
  end(error?: Error): void {
    this.#ended = true;
    this.#error = error;
    for (const waiter of this.#waiters.splice(0)) waiter.end(this.#takeError());
  }

  /** Forgets what nobody has read. */
  clear(): void {
    this.#events = [];
    this.#head = 0;
  }

  /** Returns the next event that is selected. The error is thrown once; then, and after the last event, it is done. */
  next<Item>(select: Select<Event, Item>): Promise<IteratorResult<Item, undefined>> {
    while (this.unread > 0) {
      const value = select(this.#take());
      if (value !== undefined) return Promise.resolve({ value, done: false });
    }
    if (!this.#ended) return new Promise((resolve, reject) => this.#waiters.push(waiter(select, resolve, reject)));
    const error = this.#takeError();
    return error === undefined ? Promise.resolve({ value: undefined, done: true }) : Promise.reject(error);
  }

  #take(): Event {
    const event = this.#events[this.#head] as Event;
    this.#head += 1;
    if (this.#head === this.#events.length) this.clear();
    else if (this.#head >= COMPACT_AT && this.#head * 2 > this.#events.length) this.#compact();
    return event;
  }

  #compact(): void {
    this.#events = this.#events.slice(this.#head);
    this.#head = 0;
  }

  #takeError(): Error | undefined {
    const error = this.#error;
    this.#error = undefined;
    return error;
  }
}

function waiter<Event, Item>(
  select: Select<Event, Item>,
  resolve: (result: IteratorResult<Item, undefined>) => void,
  reject: (error: Error) => void,
): Waiter<Event> {
  return {
    offer(event) {
      const value = select(event);
      if (value !== undefined) resolve({ value, done: false });
      return value !== undefined;
    },
    end(error) {
      if (error === undefined) resolve({ value: undefined, done: true });
      else reject(error);
    },
  };
}
