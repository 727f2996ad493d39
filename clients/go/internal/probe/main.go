// Command probe takes the steps of the host in a replay scenario, and writes what each of them saw.
//
// Usage: probe SCENARIO.json COMMAND ARG…
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"time"
)

// stepTimeout is how long a step may take.
const stepTimeout = 15 * time.Second

func main() {
	if len(os.Args) < 3 {
		fail("usage: probe SCENARIO.json COMMAND ARG…")
	}
	data, err := os.ReadFile(os.Args[1])
	if err != nil {
		fail(err)
	}
	var scenario struct {
		Host []step `json:"host"`
	}
	if err := json.Unmarshal(data, &scenario); err != nil {
		fail(err)
	}
	play(newHost(os.Args[2], os.Args[3:]), scenario.Host)
}

func play(h *host, steps []step) {
	for _, step := range steps {
		take, known := verbs[step.Do]
		if !known {
			fail("there is no step " + step.Do)
		}
		seen := make(chan any, 1)
		go func() { seen <- take(h, step) }()
		select {
		case what := <-seen:
			write(what)
		case <-patience(step):
			write(object{"timeout": true})
			return
		}
	}
	h.close(step{})
}

// patience ends a step that takes too long; to wait for ever is no such thing.
func patience(step step) <-chan time.Time {
	if step.Do == "wait" {
		return nil
	}
	return time.After(stepTimeout)
}

func write(what any) {
	output := json.NewEncoder(os.Stdout)
	output.SetEscapeHTML(false)
	if err := output.Encode(abridged(what)); err != nil {
		fail(err)
	}
}

func fail(why any) {
	fmt.Fprintln(os.Stderr, why)
	os.Exit(1)
}
