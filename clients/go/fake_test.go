package llmsidecar

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"runtime/pprof"
	"strings"
	"testing"
	"time"
)

// patience is how long a test waits for what must happen; far above what it takes.
const patience = 20 * time.Second

const fakeVariable = "LLM_SIDECAR_FAKE"

// TestMain makes this program a fake sidecar, where the environment says so.
func TestMain(m *testing.M) {
	if name := os.Getenv(fakeVariable); name != "" {
		fakes[name](&fake{input: bufio.NewReader(os.Stdin)})
		return
	}
	os.Exit(m.Run())
}

// fake is a sidecar that does what a test wants.
type fake struct {
	input *bufio.Reader
}

// received is a message of the client.
type received struct {
	ID     *int64          `json:"id"`
	Method string          `json:"method"`
	Params json.RawMessage `json:"params"`
}

func (r received) member(name string) string {
	return string(member(r.Params, name))
}

// next returns the next message; at the end of stdin the fake sidecar ends.
func (f *fake) next() received {
	line, err := f.input.ReadBytes('\n')
	if err != nil {
		os.Exit(0)
	}
	var message received
	if err := json.Unmarshal(line, &message); err != nil {
		panic(err)
	}
	return message
}

// await returns the next message with the method; `shutdown` is answered meanwhile.
func (f *fake) await(method string) received {
	for {
		message := f.next()
		if message.Method == method {
			return message
		}
		if message.Method == "shutdown" {
			f.reply(message, `{}`)
		}
	}
}

func (f *fake) reply(to received, result string) {
	fmt.Printf(`{"jsonrpc":"2.0","id":%d,"result":%s}`+"\n", *to.ID, result)
}

func (f *fake) fail(to received, data string) {
	fmt.Printf(`{"jsonrpc":"2.0","id":%d,"error":{"code":1204,"message":"No.","data":%s}}`+"\n", *to.ID, data)
}

func (f *fake) welcome() received {
	hello := f.await("initialize")
	f.reply(hello, fmt.Sprintf(
		`{"protocol_version":1,"server_info":{"name":"fake","version":"0","pid":%d},"capabilities":{},"limits":{}}`,
		os.Getpid(),
	))
	return hello
}

func (f *fake) text(stream received, seq int, text string) {
	fmt.Printf(
		`{"jsonrpc":"2.0","method":"stream.chunk","params":{"stream_id":%s,"seq":%d,`+
			`"delta":{"type":"text","index":0,"text":%q}}}`+"\n",
		stream.member("stream_id"), seq, text,
	)
}

func (f *fake) finish(stream received, chunks int, message, reason string) {
	f.reply(stream, fmt.Sprintf(
		`{"stream_id":%s,"chunks":%d,"provider":"fake","model":"fake-1","message":%s,`+
			`"finish_reason":{"reason":%q},"usage":{},"cost":{"amount":null},"timing":{"total_ms":0},`+
			`"attempts":[],"warnings":[]}`,
		stream.member("stream_id"), chunks, message, reason,
	))
}

func (f *fake) end() {
	f.await("no such method")
}

// fakeOptions are those that start the fake sidecar with the name. With the race detector it would end a second late.
func fakeOptions(name string) Options {
	return Options{Command: os.Args[0], Env: []string{fakeVariable + "=" + name, "GORACE=atexit_sleep_ms=0"}}
}

// begin starts a fake sidecar, which is closed after the test, and must leave nothing behind.
func begin(t *testing.T, options Options) *Sidecar {
	t.Helper()
	client, err := Start(soon(t), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = client.Close() // never fails
		awaitNoGoroutines(t)
	})
	return client
}

// soon returns a context that ends when the test's patience does.
func soon(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

// awaitNoGoroutines waits until no goroutine runs code of the client.
func awaitNoGoroutines(t *testing.T) {
	t.Helper()
	var stacks strings.Builder
	for end := time.Now().Add(patience); time.Now().Before(end); {
		stacks.Reset()
		if err := pprof.Lookup("goroutine").WriteTo(&stacks, 1); err != nil {
			t.Fatal(err)
		}
		// This test's own goroutine is one.
		if strings.Count(stacks.String(), "llmsidecar.(*") == 0 {
			return
		}
	}
	t.Errorf("goroutines are left:\n%s", &stacks)
}

func question() StreamRequest {
	return StreamRequest{Messages: []Message{UserMessage("Hi")}}
}
