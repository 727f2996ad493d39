package llmsidecar

import (
	"os"
	"sync"
	"syscall"
	"unsafe"
)

// https://learn.microsoft.com/windows/win32/procthread/process-creation-flags,
// https://learn.microsoft.com/windows/win32/procthread/process-security-and-access-rights, and
// https://learn.microsoft.com/windows/win32/api/winnt/ns-winnt-jobobject_extended_limit_information
const (
	createNoWindow          = 0x08000000
	processSetQuota         = 0x0100
	processTerminate        = 0x0001
	limitKillOnJobClose     = 0x2000
	extendedLimitInfo       = 9
	exitCodeOfTheTerminated = 1
)

var (
	kernel32           = syscall.NewLazyDLL("kernel32.dll")
	createJobObject    = kernel32.NewProc("CreateJobObjectW")
	setInformation     = kernel32.NewProc("SetInformationJobObject")
	assignProcess      = kernel32.NewProc("AssignProcessToJobObject")
	terminateJobObject = kernel32.NewProc("TerminateJobObject")
)

type basicLimits struct {
	perProcessUserTime int64
	perJobUserTime     int64
	flags              uint32
	minimumWorkingSet  uintptr
	maximumWorkingSet  uintptr
	activeProcesses    uint32
	affinity           uintptr
	priority           uint32
	scheduling         uint32
}

type extendedLimits struct {
	basic             basicLimits
	_                 [unsafe.Sizeof(uintptr(0)) % 8]byte // C aligns what follows at 8 bytes on 32-bit systems, too
	ioCounters        [6]uint64
	processMemory     uintptr
	jobMemory         uintptr
	peakProcessMemory uintptr
	peakJobMemory     uintptr
}

// family is a job object, which takes all that is in it along when its last handle is closed, as when the host dies.
// Where the system gives none, it is the one process.
type family struct {
	leader *os.Process
	job    *job
}

type job struct {
	mu     sync.Mutex
	handle syscall.Handle // 0 after it was closed
}

// attributes keep a console window from showing up.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{HideWindow: true, CreationFlags: createNoWindow | syscall.CREATE_NEW_PROCESS_GROUP}
}

func familyOf(leader *os.Process) family {
	return family{leader, &job{handle: newJob(leader.Pid)}}
}

// newJob returns a job object with the process in it, or 0.
func newJob(pid int) syscall.Handle {
	created, _, _ := createJobObject.Call(0, 0)
	handle := syscall.Handle(created)
	if handle == 0 {
		return 0
	}
	limits := extendedLimits{basic: basicLimits{flags: limitKillOnJobClose}}
	set, _, _ := setInformation.Call(
		created, extendedLimitInfo, uintptr(unsafe.Pointer(&limits)), unsafe.Sizeof(limits),
	)
	if set == 0 || !assign(created, pid) {
		_ = syscall.CloseHandle(handle)
		return 0
	}
	return handle
}

func assign(job uintptr, pid int) bool {
	process, err := syscall.OpenProcess(processSetQuota|processTerminate, false, uint32(pid))
	if err != nil {
		return false
	}
	defer func() { _ = syscall.CloseHandle(process) }()
	assigned, _, _ := assignProcess.Call(job, uintptr(process))
	return assigned != 0
}

// terminate is kill: there is no gentler way to end a process that has no window and does not listen.
func (f family) terminate() {
	f.kill()
}

func (f family) kill() {
	f.job.mu.Lock()
	defer f.job.mu.Unlock()
	if f.job.handle != 0 {
		_, _, _ = terminateJobObject.Call(uintptr(f.job.handle), exitCodeOfTheTerminated)
	}
	_ = f.leader.Kill() // it has gone already, as a rule
}

func (f family) forget() {
	f.job.mu.Lock()
	defer f.job.mu.Unlock()
	if f.job.handle != 0 {
		_ = syscall.CloseHandle(f.job.handle)
		f.job.handle = 0
	}
}
