package llmsidecar

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"
)

var fakes = map[string]func(*fake){
	"about": func(f *fake) {
		hello := f.welcome()
		folder, _ := os.Getwd()
		about, _ := json.Marshal(map[string]any{
			"args": os.Args[1:], "dir": folder, "env": os.Getenv("FAKE_EXTRA"), "hello": hello.Params,
		})
		f.reply(f.await("about"), string(about))
		f.end()
	},
	"echo": func(f *fake) {
		f.welcome()
		for {
			call := f.await("echo")
			f.reply(call, string(call.Params))
		}
	},
	"cancelled": func(f *fake) {
		f.welcome()
		call := f.await("slow")
		fmt.Fprintln(os.Stderr, "slow")
		if cancel := f.await("$/cancelRequest"); cancel.member("id") == fmt.Sprint(*call.ID) {
			f.fail(call, `{"type":"request_cancelled","category":"protocol","retryable":false,"hint":"theirs"}`)
		}
		f.end()
	},
	"deaf": func(f *fake) {
		f.welcome()
		f.end()
	},
	"rate_limited": func(f *fake) {
		f.welcome()
		f.fail(f.await("models.list"), `{"type":"rate_limited","category":"ai","retryable":true,"retry_after_ms":1500,`+
			`"provider":"openai","x-more":1}`)
		f.end()
	},
	"crash": func(f *fake) {
		f.welcome()
		seen := []string{}
		for {
			switch message := f.next(); message.Method {
			case "crash":
				os.Exit(1)
			case "shutdown":
				f.reply(message, `{}`)
			case "seen":
				answer, _ := json.Marshal(map[string]any{"seen": seen})
				f.reply(message, string(answer))
			default:
				seen = append(seen, message.Method+string(message.Params))
				f.reply(message, `{"provider":"a","kind":"a","key":{"source":"config"}}`)
			}
		}
	},
	"stream": func(f *fake) {
		f.welcome()
		for {
			stream := f.await("chat.stream")
			f.text(stream, 0, "Hel")
			fmt.Printf(`{"jsonrpc":"2.0","method":"stream.status","params":{"stream_id":%s,"state":"thinking"}}`+"\n",
				stream.member("stream_id"))
			f.text(stream, 1, "lo")
			f.finish(stream, 2, `{"role":"assistant","content":"Hello"}`, "stop")
		}
	},
	"endless": func(f *fake) {
		f.welcome()
		for {
			stream := f.await("chat.stream")
			f.text(stream, 0, "Once")
			f.await("$/cancelRequest")
			f.finish(stream, 1, `{"role":"assistant","content":"Once"}`, "cancelled")
		}
	},
	"talk": talk,
	"stays": func(f *fake) {
		f.welcome()
		time.Sleep(2 * patience)
	},
}

func requireType(t *testing.T, err error, kind ErrorType) *Error {
	t.Helper()
	var failed *Error
	if !errors.As(err, &failed) || failed.Type != kind {
		t.Fatalf("got %v, want %s", err, kind)
	}
	return failed
}

func TestOptionsReachTheSidecar(t *testing.T) {
	folder, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	options := fakeOptions("about")
	options.Args, options.Dir = []string{"--scripted"}, folder
	options.Env = append(options.Env, "FAKE_EXTRA=more")
	options.ClientInfo = ClientInfo{Name: "Notebook", Version: "3.1"}
	var about struct {
		Args  []string
		Dir   string
		Env   string
		Hello InitializeParams
	}
	if err := begin(t, options).Request(soon(t), "about", nil, &about); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(about.Args, options.Args) || about.Dir != folder || about.Env != "more" {
		t.Errorf("got %+v", about)
	}
	if h := about.Hello; h.ClientInfo != options.ClientInfo || h.ProtocolVersion != 1 || *h.ProcessID != int64(os.Getpid()) {
		t.Errorf("got %+v", h)
	}
}

func TestManyCallsAtOnceGetTheirOwnReplies(t *testing.T) {
	client := begin(t, fakeOptions("echo"))
	var calls sync.WaitGroup
	for number := range 200 {
		calls.Add(1)
		go func() {
			defer calls.Done()
			var echo struct{ Number int }
			err := client.Request(soon(t), "echo", map[string]int{"number": number}, &echo)
			if err != nil || echo.Number != number {
				t.Errorf("got %d and %v, want %d", echo.Number, err, number)
			}
		}()
	}
	calls.Wait()
}

func TestParamsThatAreNoObjectAreNotSent(t *testing.T) {
	client := begin(t, fakeOptions("echo"))
	for _, params := range []any{[]int{1}, "text", make(chan int)} {
		requireType(t, client.Request(soon(t), "echo", params, nil), ErrorTypeInvalidParams)
	}
}

func TestAResultOfAnotherTypeIsAnInvalidMessage(t *testing.T) {
	client := begin(t, fakeOptions("echo"))
	_, err := call[Pong](soon(t), client, "echo", map[string]string{"uptime_ms": "long"})
	requireType(t, err, ErrorTypeInvalidMessage)
}

func TestTheEndOfTheContextCancelsACall(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	options := fakeOptions("cancelled")
	options.OnLog = func(string) { cancel() }
	client := begin(t, options)
	err := client.Request(ctx, "slow", nil, nil)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if failed := requireType(t, err, ErrorTypeRequestCancelled); failed.Data.Hint != "theirs" {
		t.Errorf("got %+v", failed)
	}
}

func TestACancelledCallWaitsNoLongerThanTheGrace(t *testing.T) {
	options := fakeOptions("deaf")
	options.CancelGrace = time.Millisecond
	client := begin(t, options)
	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	err := client.Request(ctx, "slow", nil, nil)
	requireType(t, err, ErrorTypeRequestCancelled)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

func TestAnErrorHasAllThatTheSidecarSays(t *testing.T) {
	client := begin(t, fakeOptions("rate_limited"))
	_, err := client.Models.List(soon(t), OptionalProvider{})
	failed := requireType(t, err, ErrorTypeRateLimited)
	if failed.Category != CategoryAI || !failed.Retryable || failed.RetryAfter != 1500*time.Millisecond {
		t.Errorf("got %+v", failed)
	}
	if failed.Code != 1204 || failed.Message != "No." || failed.Data.Provider != "openai" {
		t.Errorf("got %+v", failed)
	}
	if string(member(failed.RawData, "x-more")) != "1" {
		t.Errorf("got %s", failed.RawData)
	}
}

func TestThereIsAnErrorWhereThereIsNoExecutable(t *testing.T) {
	_, err := Start(soon(t), Options{Command: filepath.Join(t.TempDir(), "nothing")})
	requireType(t, err, ErrorTypeSidecarNotFound)
	awaitNoGoroutines(t)
}

func TestAStartThatIsCancelledLeavesNothing(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := Start(ctx, fakeOptions("deaf"))
	requireType(t, err, ErrorTypeRequestCancelled)
	awaitNoGoroutines(t)
}

func TestAfterACrashTheConfigurationsAreMadeAgain(t *testing.T) {
	client, ctx := begin(t, fakeOptions("crash")), soon(t)
	configure := ConfigParams{Config: OllamaConfig{ID: "one"}}
	if _, err := client.Providers.Configure(ctx, configure); err != nil {
		t.Fatal(err)
	}
	activate := SetActiveParams{Config: OpenAIConfig{APIKey: "sk-1"}}
	if _, err := client.Providers.SetActive(ctx, activate); err != nil {
		t.Fatal(err)
	}
	first := client.PID()
	requireType(t, client.Request(ctx, "crash", nil, nil), ErrorTypeConnectionClosed)
	var again struct{ Seen []string }
	if err := client.Request(ctx, "seen", nil, &again); err != nil {
		t.Fatal(err)
	}
	wanted := []string{
		`providers.configure{"config":{"provider":"ollama","id":"one"}}`,
		`providers.set_active{"config":{"provider":"openai","api_key":"sk-1"}}`,
	}
	if !slices.Equal(again.Seen, wanted) {
		t.Errorf("got %q", again.Seen)
	}
	if client.PID() == first {
		t.Error("it is the same process")
	}
}

func TestACallAfterTheEndFailsWhereRestartingIsTurnedOff(t *testing.T) {
	options := fakeOptions("crash")
	options.NoRestart = true
	client := begin(t, options)
	for range 2 {
		requireType(t, client.Request(soon(t), "crash", nil, nil), ErrorTypeConnectionClosed)
	}
}

func TestClosingManyTimesAtOnceEndsAllThatIsOpen(t *testing.T) {
	options := fakeOptions("stays")
	options.StopGrace = time.Millisecond
	client := begin(t, options)
	stream := client.Chat.Stream(soon(t), question())
	var closing sync.WaitGroup
	for range 5 {
		closing.Add(1)
		go func() {
			defer closing.Done()
			if err := client.Close(); err != nil {
				t.Error(err)
			}
		}()
	}
	closing.Wait()
	_, err := stream.Result()
	requireType(t, err, ErrorTypeConnectionClosed)
	requireType(t, client.Request(soon(t), "echo", nil, nil), ErrorTypeConnectionClosed)
	_, err = client.Chat.Stream(soon(t), question()).Result()
	requireType(t, err, ErrorTypeConnectionClosed)
}

func TestPrintingAClientShowsNoKeys(t *testing.T) {
	client := begin(t, fakeOptions("crash"))
	if _, err := client.Providers.SetActive(soon(t), SetActiveParams{Config: OpenAIConfig{APIKey: "sk-1"}}); err != nil {
		t.Fatal(err)
	}
	for _, format := range []string{"%v", "%+v", "%#v", "%s"} {
		if text := fmt.Sprintf(format, client); text != fmt.Sprintf("llm-sidecar, process %d", client.PID()) {
			t.Errorf("%s: got %s", format, text)
		}
	}
}
