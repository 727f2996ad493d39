//! What a command rejects with.

use llm_sidecar_client::{Object, ERRORS};
use serde::Serialize;
use serde_json::Value;

/// What a command rejects with: an object with `type`, `category`, `message`, `retryable` and `code`, and with
/// `retry_after_ms`, `hint` and all else that is known of the error.
#[derive(Clone, Debug, Serialize)]
#[serde(transparent)]
pub struct Error(Object);

impl Error {
    /// An error of a type that the protocol knows.
    pub(crate) fn new(kind: &str, message: &str) -> Self {
        let mut members = Object::new();
        members.insert("type".into(), kind.into());
        if let Some(row) = ERRORS.iter().find(|row| row.kind == kind) {
            members.insert("category".into(), row.category.into());
            members.insert("retryable".into(), row.retryable.into());
            members.insert("code".into(), row.code.into());
        }
        members.insert("message".into(), message.into());
        Self(members)
    }

    /// The first failure of a diagnosis, where there is one.
    pub(crate) fn diagnosed(result: &Value) -> Option<Self> {
        if result["ok"] == true {
            return None;
        }
        let stages = result["stages"].as_array().map(Vec::as_slice).unwrap_or_default();
        let failed = stages.iter().find(|stage| stage["ok"] == false);
        Some(Self::flattened(failed.map(|stage| stage["error"].clone()).unwrap_or_default()))
    }

    /// A member of it.
    pub fn get(&self, member: &str) -> Option<&Value> {
        self.0.get(member)
    }

    /// The object itself.
    pub fn into_object(self) -> Object {
        self.0
    }

    /// Lifts the members of `data` beside `code` and `message`.
    fn flattened(error: Value) -> Self {
        let Value::Object(mut members) = error else {
            return Self::new("internal_error", "The sidecar does not say what went wrong.");
        };
        if let Some(Value::Object(data)) = members.remove("data") {
            members.extend(data);
        }
        Self(members)
    }
}

impl From<llm_sidecar_client::Error> for Error {
    fn from(error: llm_sidecar_client::Error) -> Self {
        Self::flattened(serde_json::to_value(&error).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_one_flat_object() {
        let error = serde_json::json!({
            "code": 1204,
            "message": "Too many requests.",
            "data": {"type": "rate_limited", "category": "ai", "retryable": true, "retry_after_ms": 1500},
        });
        assert_eq!(
            serde_json::to_value(Error::flattened(error)).unwrap(),
            serde_json::json!({
                "code": 1204,
                "message": "Too many requests.",
                "type": "rate_limited",
                "category": "ai",
                "retryable": true,
                "retry_after_ms": 1500,
            })
        );
    }

    #[test]
    fn an_error_of_the_plugin_has_what_the_protocol_says_of_its_type() {
        assert_eq!(
            serde_json::to_value(Error::new("credential_not_found", "No key.")).unwrap(),
            serde_json::json!({
                "type": "credential_not_found",
                "category": "not_found",
                "retryable": false,
                "code": 1101,
                "message": "No key.",
            })
        );
    }

    #[test]
    fn a_diagnosis_fails_with_its_first_failure() {
        let stages = serde_json::json!([
            {"stage": "dns", "ok": true, "ms": 1},
            {"stage": "tcp", "ok": false, "ms": 2, "error": {"code": 1252, "message": "No.", "data": {"type": "connect"}}},
        ]);
        let result = serde_json::json!({"ok": false, "provider": "openai", "stages": stages});
        assert_eq!(Error::diagnosed(&result).unwrap().get("type").unwrap(), "connect");
        assert!(Error::diagnosed(&serde_json::json!({"ok": true, "stages": []})).is_none());
    }
}
