//! Every sample of the protocol: what is valid is read and written again as it should be, what is not is refused.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

mod recode;

/// The classes of invalid samples that a decoder must refuse; `range` is for validators.
const REFUSED: [&str; 3] = ["missing", "wrong-type", "closed"];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../protocol/samples")
}

/// The samples of a kind, each with the name of its type.
fn samples(kind: &str) -> Vec<(String, PathBuf)> {
    let types = fs::read_dir(folder()).expect("the samples").map(|entry| entry.expect("an entry").path());
    let mut found = Vec::new();
    for path in types.filter(|path| path.is_dir()) {
        let name = path.file_name().and_then(OsStr::to_str).expect("a name").to_owned();
        let Ok(files) = fs::read_dir(path.join(kind)) else { continue };
        found.extend(files.map(|file| (name.clone(), file.expect("an entry").path())));
    }
    found
}

fn stem(path: &Path) -> &str {
    path.file_stem().and_then(OsStr::to_str).expect("a name")
}

fn read(path: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(path).expect("a file")).expect("JSON")
}

/// Whether two values are the same JSON: numbers by their value.
fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => left.as_f64() == right.as_f64(),
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| same(left, right))
        }
        (Value::Object(left), Value::Object(right)) => {
            left.len() == right.len()
                && left.iter().all(|(name, left)| right.get(name).is_some_and(|right| same(left, right)))
        }
        _ => left == right,
    }
}

#[test]
fn what_is_valid_is_read_and_written_again() {
    let valid: Vec<_> = samples("valid").into_iter().filter(|(_, path)| !stem(path).ends_with(".encoded")).collect();
    assert!(!valid.is_empty());
    for (name, path) in valid {
        let encoded = path.with_extension("encoded.json");
        let wanted = read(if encoded.exists() { &encoded } else { &path });
        let json = fs::read_to_string(&path).expect("a file");
        let written = recode::by_name(&name, &json).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let written: Value = serde_json::from_str(&written).expect("JSON");
        assert!(same(&written, &wanted), "{}: {written} is not {wanted}", path.display());
    }
}

#[test]
fn what_is_not_valid_is_refused() {
    let class = |path: &Path| REFUSED.iter().any(|class| stem(path).starts_with(class));
    let invalid: Vec<_> = samples("invalid").into_iter().filter(|(_, path)| class(path)).collect();
    assert!(!invalid.is_empty());
    for (name, path) in invalid {
        let json = fs::read_to_string(&path).expect("a file");
        let read = recode::by_name(&name, &json);
        assert!(read.is_err(), "{} is read as {}", path.display(), read.unwrap_or_default());
    }
}
