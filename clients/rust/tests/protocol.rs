//! Types of the protocol: what may grow, what must not be shown, and what is short to write.

use llm_sidecar_client::protocol::*;
use llm_sidecar_client::{object, RawJson, Secret};
use serde_json::json;

#[test]
fn an_unknown_arm_is_kept_as_it_came() {
    let text = r#"{"type": "x-smell", "strength": 1.50, "of": [null]}"#;
    let part: Part = serde_json::from_str(text).expect("a part");
    let Part::Unrecognized(raw) = &part else { panic!("{part:?} is known") };
    assert_eq!(raw.get(), text);
    assert_eq!(serde_json::to_string(&part.clone()).expect("JSON"), text);
}

#[test]
fn an_unknown_arm_is_read_from_a_value_too() {
    let value = json!({"role": "user", "content": [{"type": "x-smell", "of": [1, {"a": null}]}]});
    let message: Message = serde_json::from_value(value.clone()).expect("a message");
    assert_eq!(serde_json::to_value(message).expect("JSON"), value);
}

#[test]
fn the_tag_may_stand_anywhere() {
    let delta: Delta = serde_json::from_str(r#"{"text":"a","index":0,"type":"te\u0078t"}"#).expect("a delta");
    assert_eq!(delta, serde_json::from_str(r#"{"type":"text","index":0,"text":"a"}"#).expect("a delta"));
    assert!(matches!(delta, Delta::Text(_)));
}

#[test]
fn an_object_with_a_known_tag_is_never_an_unknown_arm() {
    assert!(serde_json::from_str::<Delta>(r#"{"type":"text","index":"0","text":"a"}"#).is_err());
    assert!(serde_json::from_str::<Delta>(r#"["text",0,"a"]"#).is_err());
}

#[test]
fn an_unknown_value_of_an_open_enumeration_is_kept() {
    let reason: Reason = serde_json::from_value(json!("bored")).expect("a reason");
    assert_eq!(reason, Reason::Unrecognized("bored".to_owned()));
    assert_eq!(serde_json::to_value(reason).expect("JSON"), "bored");
    assert_eq!(Reason::from("other"), Reason::Other);
}

#[test]
fn an_unknown_value_of_a_closed_enumeration_is_refused() {
    assert!(serde_json::from_value::<Role>(json!("narrator")).is_err());
}

#[test]
fn a_message_that_is_null_is_not_one_that_is_absent() {
    let result = |message: &str| {
        let text = format!(
            r#"{{{message}"finish_reason":{{"reason":"stop"}},"usage":{{}},"cost":{{"amount":null}},
            "timing":{{"total_ms":1}},"attempts":[],"warnings":[],"provider":"p","model":"m"}}"#
        );
        let result: ChatResult = serde_json::from_str(&text).expect("a result");
        (result.message.clone(), serde_json::to_value(result).expect("JSON").get("message").cloned())
    };
    assert_eq!(result(r#""message":null,"#), (Some(None), Some(json!(null))));
    assert_eq!(result(""), (None, None));
}

#[test]
fn secrets_are_written_but_not_shown() {
    let config = ProviderConfig::from(OpenAIConfig::new().api_key("sk-1").headers([("x-key".into(), "sk-2".into())]));
    assert!(!format!("{config:?}").contains("sk-"), "{config:?}");
    assert_eq!(Secret::from("sk-1").to_string(), "***");
    let wanted = json!({"provider": "openai", "api_key": "sk-1", "headers": {"x-key": "sk-2"}});
    assert_eq!(serde_json::to_value(config).expect("JSON"), wanted);
}

#[test]
fn a_request_is_written_without_what_it_leaves_open() {
    let schema = object! { "type": "object", "properties": {"city": {"type": "string"}} };
    let request = StreamRequest::new([Message::user("Weather?")])
        .model("m")
        .tools([Tool::from(FunctionTool::new("weather").input_schema(schema))])
        .tool_choice(ToolChoiceMode::Required)
        .stop(["END"]);
    let wanted = json!({
        "messages": [{"role": "user", "content": "Weather?"}],
        "model": "m",
        "tools": [{
            "type": "function",
            "name": "weather",
            "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}},
        }],
        "tool_choice": "required",
        "stop": ["END"],
    });
    assert_eq!(serde_json::to_value(request).expect("JSON"), wanted);
}

#[test]
fn raw_json_keeps_its_text() {
    let raw = RawJson::encode(&json!({"a": 1})).expect("JSON");
    assert_eq!(raw.get(), r#"{"a":1}"#);
    assert_eq!(raw.decode::<serde_json::Value>().expect("JSON"), json!({"a": 1}));
}
