//go:build unix

package llmsidecar

import (
	"os"
	"syscall"
)

// family is a process group.
type family struct {
	group int
}

// attributes make a child the leader of a process group of its own.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}

func familyOf(leader *os.Process) family {
	return family{leader.Pid}
}

func (f family) terminate() {
	_ = syscall.Kill(-f.group, syscall.SIGTERM) // whoever has gone needs no signal
}

func (f family) kill() {
	_ = syscall.Kill(-f.group, syscall.SIGKILL) // whoever has gone needs no signal
}

func (f family) forget() {}
