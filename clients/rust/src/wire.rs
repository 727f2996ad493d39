//! Messages as lines: what is written, and the envelope of what is read.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::protocol::CancelRequestParams;

/// A message, taken apart one level deep.
#[derive(Debug, Deserialize)]
pub(crate) struct Envelope<'a> {
    #[serde(borrow)]
    pub(crate) id: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(crate) method: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(crate) params: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(crate) result: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(crate) error: Option<&'a RawValue>,
}

impl<'a> Envelope<'a> {
    /// Reads a line; `None` is a blank one, an error one that is not a JSON object.
    pub(crate) fn read(line: &'a [u8]) -> Option<Result<Self, serde_json::Error>> {
        match line.iter().find(|byte| !byte.is_ascii_whitespace())? {
            b'{' => Some(serde_json::from_slice(line)),
            _ => Some(Err(serde::de::Error::custom("not an object"))),
        }
    }

    /// The number of the request that a reply is for; those of this client are numbers.
    pub(crate) fn request(&self) -> Option<u64> {
        self.id?.get().parse().ok()
    }
}

#[derive(Serialize)]
struct Request<'a> {
    jsonrpc: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<u64>,
    method: &'a str,
    params: &'a RawValue,
}

/// The line of a request.
pub(crate) fn request(id: u64, method: &str, params: &RawValue) -> Vec<u8> {
    line(&Request { jsonrpc: "2.0", id: Some(id), method, params })
}

/// The line that cancels a request.
pub(crate) fn cancellation(id: u64) -> Vec<u8> {
    let id = i64::try_from(id).expect("requests are counted from 1");
    let params = encode(&CancelRequestParams { id: id.into() });
    line(&Request { jsonrpc: "2.0", id: None, method: "$/cancelRequest", params: &params })
}

/// Encodes a value whose encoding cannot fail: a type of the protocol, or JSON.
pub(crate) fn encode<T: Serialize + ?Sized>(value: &T) -> Box<RawValue> {
    serde_json::value::to_raw_value(value).expect("what is encoded has texts as keys")
}

fn line(request: &Request<'_>) -> Vec<u8> {
    let mut line = serde_json::to_vec(request).expect("what is encoded has texts as keys");
    line.push(b'\n');
    line
}
