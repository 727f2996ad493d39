//! What differs between platforms: groups of processes, and what an executable is.
//!
//! A [`Group`] is the sidecar and all that it started. On POSIX it is a process group, on Windows a job object, which
//! the system ends when its last handle is closed.

#[cfg(unix)]
pub(crate) use unix::{is_executable, prepare, Group};
#[cfg(windows)]
pub(crate) use windows::{is_executable, prepare, Group};

#[cfg(unix)]
mod unix {
    use std::fs;
    use std::io;
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;

    use tokio::process::{Child, Command};

    /// The permission to execute, of anybody.
    const EXECUTABLE: u32 = 0o111;

    pub(crate) fn is_executable(path: &Path) -> bool {
        fs::metadata(path).is_ok_and(|found| found.is_file() && found.permissions().mode() & EXECUTABLE != 0)
    }

    pub(crate) fn prepare(command: &mut Command) {
        command.process_group(0);
    }

    #[derive(Debug)]
    pub(crate) struct Group(libc::pid_t);

    impl Group {
        pub(crate) fn of(child: &Child) -> io::Result<Self> {
            let pid = child.id().and_then(|pid| libc::pid_t::try_from(pid).ok());
            pid.map(Self).ok_or_else(|| io::Error::other("the process has no id"))
        }

        /// Asks all of them to end.
        pub(crate) fn terminate(&self) {
            self.signal(libc::SIGTERM);
        }

        /// Ends all of them.
        pub(crate) fn kill(&self) {
            self.signal(libc::SIGKILL);
        }

        #[allow(unsafe_code)]
        fn signal(&self, signal: libc::c_int) {
            // SAFETY: killpg takes two numbers. It fails where nobody is left in the group, which is as well.
            unsafe { libc::killpg(self.0, signal) };
        }
    }
}

#[cfg(windows)]
mod windows {
    use std::io;
    use std::mem;
    use std::os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle};
    use std::path::Path;
    use std::ptr;

    use tokio::process::{Child, Command};
    use windows_sys::Win32::System::JobObjects::{
        AssignProcessToJobObject, CreateJobObjectW, JobObjectExtendedLimitInformation, SetInformationJobObject,
        TerminateJobObject, JOBOBJECT_EXTENDED_LIMIT_INFORMATION, JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE,
    };
    use windows_sys::Win32::System::Threading::CREATE_NO_WINDOW;

    /// The exit code of processes that are ended.
    const ENDED: u32 = 1;

    pub(crate) fn is_executable(path: &Path) -> bool {
        path.is_file()
    }

    pub(crate) fn prepare(command: &mut Command) {
        command.creation_flags(CREATE_NO_WINDOW);
    }

    #[derive(Debug)]
    pub(crate) struct Group(OwnedHandle);

    impl Group {
        #[allow(unsafe_code)]
        pub(crate) fn of(child: &Child) -> io::Result<Self> {
            let process = child.raw_handle().ok_or_else(|| io::Error::other("the process has no handle"))?;
            // SAFETY: Both pointers may be null: no attributes, no name.
            let job = unsafe { CreateJobObjectW(ptr::null(), ptr::null()) };
            if job.is_null() {
                return Err(io::Error::last_os_error());
            }
            // SAFETY: The handle is valid, and nobody else's.
            let group = Self(unsafe { OwnedHandle::from_raw_handle(job) });
            group.end_with_its_last_handle()?;
            // SAFETY: Both handles are valid.
            check(unsafe { AssignProcessToJobObject(group.0.as_raw_handle(), process) })?;
            Ok(group)
        }

        #[allow(unsafe_code)]
        fn end_with_its_last_handle(&self) -> io::Result<()> {
            // SAFETY: The structure consists of numbers, which may be 0.
            let mut limits: JOBOBJECT_EXTENDED_LIMIT_INFORMATION = unsafe { mem::zeroed() };
            limits.BasicLimitInformation.LimitFlags = JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE;
            let size = u32::try_from(mem::size_of_val(&limits)).expect("the structure is small");
            // SAFETY: The handle is valid; the pointer is to a structure of the kind and size that are named.
            check(unsafe {
                SetInformationJobObject(
                    self.0.as_raw_handle(),
                    JobObjectExtendedLimitInformation,
                    ptr::from_ref(&limits).cast(),
                    size,
                )
            })
        }

        /// Ends all of them: Windows knows no way to ask a process without windows.
        pub(crate) fn terminate(&self) {
            self.kill();
        }

        /// Ends all of them.
        #[allow(unsafe_code)]
        pub(crate) fn kill(&self) {
            // SAFETY: The handle is valid.
            unsafe { TerminateJobObject(self.0.as_raw_handle(), ENDED) };
        }
    }

    fn check(done: i32) -> io::Result<()> {
        if done == 0 {
            Err(io::Error::last_os_error())
        } else {
            Ok(())
        }
    }
}
