package llmsidecar

import (
	"os"
	"path/filepath"
	"strings"
	"time"
)

// The defaults of [Options].
const (
	DefaultStartTimeout    = 10 * time.Second
	DefaultStopGrace       = 5 * time.Second
	DefaultCancelGrace     = 2 * time.Second
	DefaultMaxLineBytes    = 256 << 20
	DefaultMaxUnreadEvents = 100_000
)

// Options say how a sidecar is started and spoken with. The zero value is good for most.
type Options struct {
	// Command is the sidecar's executable. Without it, it is what the environment variable LLM_SIDECAR names, or
	// `llm-sidecar` beside the host's own executable, or on the PATH.
	Command string
	// Args are the sidecar's flags.
	Args []string
	// Env is added to the host's environment, as `NAME=VALUE`.
	Env []string
	// Dir is the folder in which the sidecar works; the host's own, if empty.
	Dir string
	// ClientInfo names the app; by default its executable does.
	ClientInfo ClientInfo
	// OnLog is given what the sidecar writes to stderr, line by line, and what cannot be read of what it writes to
	// stdout. It is called from several goroutines, holds up reading while it runs, and must not close the client.
	OnLog func(line string)
	// NoRestart leaves a sidecar that has gone alone.
	NoRestart bool

	StartTimeout    time.Duration // how long the handshake may take
	StopGrace       time.Duration // how long the end may take before the process is terminated
	CancelGrace     time.Duration // how long a cancelled call waits for its reply
	MaxLineBytes    int           // a longer line ends the connection
	MaxUnreadEvents int           // a stream with more events that nobody has read is cancelled
}

// complete returns the options with defaults in the place of zeros.
func (o Options) complete() Options {
	orDefault(&o.StartTimeout, DefaultStartTimeout)
	orDefault(&o.StopGrace, DefaultStopGrace)
	orDefault(&o.CancelGrace, DefaultCancelGrace)
	orDefault(&o.MaxLineBytes, DefaultMaxLineBytes)
	orDefault(&o.MaxUnreadEvents, DefaultMaxUnreadEvents)
	orDefault(&o.ClientInfo.Name, hostName())
	return o
}

func orDefault[T comparable](value *T, usual T) {
	if *value == *new(T) {
		*value = usual
	}
}

func hostName() string {
	return strings.TrimSuffix(filepath.Base(os.Args[0]), ".exe")
}

func (o Options) log(line string) {
	if o.OnLog != nil {
		o.OnLog(line)
	}
}
