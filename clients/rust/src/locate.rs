//! Where the sidecar's executable is.

use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::options::Options;
use crate::platform;

/// The variable that names the executable.
const VARIABLE: &str = "LLM_SIDECAR";
const NAME: &str = "llm-sidecar";

/// The executable that the options, the environment and this process's own place lead to.
pub(crate) fn executable(options: &Options) -> Result<PathBuf, Error> {
    if let Some(command) = &options.command {
        return named(command);
    }
    if let Some(command) = env::var_os(VARIABLE).filter(|command| !command.is_empty()) {
        return named(Path::new(&command));
    }
    let own = env::current_exe().ok().and_then(|path| path.parent().map(Path::to_owned));
    let folders = [own, options.resources.clone()];
    let beside = folders.iter().flatten().find_map(|folder| inside(folder));
    beside.or_else(|| on_path(OsStr::new(NAME))).ok_or_else(|| {
        Error::sidecar_not_found(format_args!("There is no {NAME} beside this program, and none on the PATH."))
    })
}

/// A command that was asked for: a path, or a name on the `PATH`.
fn named(command: &Path) -> Result<PathBuf, Error> {
    let bare = command.parent().is_some_and(|folder| folder.as_os_str().is_empty());
    let found = if bare { on_path(command.as_os_str()) } else { existing(command.to_owned()) };
    found.ok_or_else(|| Error::sidecar_not_found(format_args!("There is no executable {}.", command.display())))
}

fn inside(folder: &Path) -> Option<PathBuf> {
    [folder.join(NAME), folder.join(NAME).join(NAME)].into_iter().find_map(existing)
}

fn on_path(name: &OsStr) -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?).find_map(|folder| existing(folder.join(name)))
}

/// The path, or the path with the suffix that the platform gives executables.
fn existing(path: PathBuf) -> Option<PathBuf> {
    let mut suffixed = path.clone().into_os_string();
    suffixed.push(env::consts::EXE_SUFFIX);
    [PathBuf::from(suffixed), path].into_iter().find(|path| platform::is_executable(path))
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    /// A folder of a test's own.
    fn folder(name: &str) -> PathBuf {
        let folder = env::temp_dir().join(format!("llm-sidecar-client-{}-{name}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        folder
    }

    fn place(path: &Path, mode: u32) {
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, "").expect("a file");
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("permissions");
    }

    #[test]
    fn a_folder_is_looked_through_for_the_file_then_for_a_folder_with_it() {
        let folder = folder("inside");
        assert_eq!(inside(&folder), None);
        place(&folder.join(NAME).join(NAME), 0o755);
        assert_eq!(inside(&folder), Some(folder.join(NAME).join(NAME)));
        fs::remove_dir_all(folder.join(NAME)).expect("removed");
        place(&folder.join(NAME), 0o755);
        assert_eq!(inside(&folder), Some(folder.join(NAME)));
        fs::remove_dir_all(folder).expect("removed");
    }

    #[test]
    fn a_command_that_cannot_be_executed_is_not_found() {
        let folder = folder("mode");
        place(&folder.join("text"), 0o644);
        let error = named(&folder.join("text")).expect_err("it is no executable");
        assert_eq!(error.kind().as_str(), "sidecar_not_found");
        fs::remove_dir_all(folder).expect("removed");
    }

    #[test]
    fn a_bare_name_is_looked_for_on_the_path() {
        let found = named(Path::new("sh")).expect("every system has one");
        assert!(found.is_absolute());
        assert!(named(Path::new("there-is-no-such-sidecar")).is_err());
    }
}
