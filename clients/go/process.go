package llmsidecar

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"sync"
	"time"
)

const (
	// killGrace is how long a process that was told to terminate may take.
	killGrace = 2 * time.Second
	// pipeGrace is how long the pipes of a process that has gone are read on, if someone else holds them open.
	pipeGrace = 2 * time.Second
	// maxLogLineBytes is where a line of the log is cut.
	maxLogLineBytes = 64 << 10
)

// process is a child with pipes, and all that it starts.
type process struct {
	command *exec.Cmd
	family  family
	stdin   *os.File
	stdout  *os.File
	stderr  *os.File
	exited  chan struct{}
	logged  chan struct{}
}

func startProcess(options Options) (*process, error) {
	path, err := findCommand(options.Command)
	if err != nil {
		return nil, err
	}
	command := exec.Command(path, options.Args...)
	command.Dir = options.Dir
	command.Env = append(os.Environ(), options.Env...)
	command.SysProcAttr = attributes()
	p := &process{command: command, exited: make(chan struct{}), logged: make(chan struct{})}
	if err := p.start(); err != nil {
		return nil, notFound(err)
	}
	go p.wait()
	go p.log(options)
	return p, nil
}

// start starts the command with pipes of our own: those of exec.Cmd are closed before they are read to the end.
func (p *process) start() error {
	var theirs [3]*os.File
	var err error
	defer func() { closeAll(theirs[:]...) }()
	if theirs[0], p.stdin, err = os.Pipe(); err != nil {
		return err
	}
	if p.stdout, theirs[1], err = os.Pipe(); err == nil {
		p.stderr, theirs[2], err = os.Pipe()
	}
	if err == nil {
		p.command.Stdin, p.command.Stdout, p.command.Stderr = theirs[0], theirs[1], theirs[2]
		err = p.command.Start()
	}
	if err != nil {
		p.closePipes()
		return err
	}
	p.family = familyOf(p.command.Process)
	return nil
}

// wait sees the process off, and what it has started.
func (p *process) wait() {
	_ = p.command.Wait() // how it ended makes no difference
	p.family.kill()
	p.family.forget()
	close(p.exited)
}

// log hands stderr to the log line by line, and reads it in any case.
func (p *process) log(options Options) {
	defer close(p.logged)
	if options.OnLog == nil {
		_, _ = io.Copy(io.Discard, p.stderr)
		return
	}
	input := bufio.NewReaderSize(p.stderr, maxLogLineBytes)
	for {
		line, err := input.ReadSlice('\n')
		if len(line) > 0 {
			options.OnLog(string(bytes.TrimRight(line, "\r\n")))
		}
		for errors.Is(err, bufio.ErrBufferFull) {
			_, err = input.ReadSlice('\n')
		}
		if err != nil {
			return
		}
	}
}

// stop waits for the end of the process, and brings it about when the grace is over.
func (p *process) stop(grace time.Duration) {
	for _, end := range []struct {
		grace time.Duration
		next  func()
	}{{grace, p.family.terminate}, {killGrace, p.family.kill}} {
		if p.ends(end.grace) {
			return
		}
		end.next()
	}
	<-p.exited
}

func (p *process) ends(within time.Duration) bool {
	timer := time.NewTimer(within)
	defer timer.Stop()
	select {
	case <-p.exited:
		return true
	case <-timer.C:
		return false
	}
}

// closeOutputsLater ends reading after the end of the process, even if someone holds its pipes open, and returns a
// function that waits until that is done.
func (p *process) closeOutputsLater() (release func()) {
	var done sync.WaitGroup
	ended := make(chan struct{})
	done.Add(1)
	go func() {
		defer done.Done()
		<-p.exited
		timer := time.NewTimer(pipeGrace)
		defer timer.Stop()
		select {
		case <-ended:
		case <-timer.C:
			closeAll(p.stdout, p.stderr)
		}
	}()
	return func() {
		<-p.exited
		<-p.logged
		close(ended)
		done.Wait()
		p.closePipes()
	}
}

func (p *process) closePipes() {
	closeAll(p.stdin, p.stdout, p.stderr)
}

func closeAll(files ...*os.File) {
	for _, file := range files {
		_ = file.Close() // a file that is nil or closed already is no concern
	}
}
