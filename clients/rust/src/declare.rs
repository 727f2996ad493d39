//! What the generated types are declared with: enumerations, unions and choices, and their encodings.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{DeserializeOwned, Error, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// Declares texts as an enumeration; an `open` one has an arm for texts that this version does not know.
macro_rules! enumeration {
    ($(#[$meta:meta])* open $name:ident { $($(#[$mark:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, Eq, Hash, PartialEq)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$mark])* #[doc = concat!("`", $text, "`")] $variant,)+
            /// One that this version does not know.
            Unrecognized(String),
        }

        impl $name {
            /// The text that stands for it in the protocol.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $text,)+
                    Self::Unrecognized(text) => text,
                }
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                match text {
                    $($text => Self::$variant,)+
                    _ => Self::Unrecognized(text.to_owned()),
                }
            }
        }

        $crate::declare::enumeration!(@encoding $name, |text| Some($name::from(text)));
    };
    ($(#[$meta:meta])* closed $name:ident { $($(#[$mark:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$mark])* #[doc = concat!("`", $text, "`")] $variant,)+
        }

        impl $name {
            /// The text that stands for it in the protocol.
            pub fn as_str(&self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)+
                }
            }
        }

        $crate::declare::enumeration!(@encoding $name, |text| match text {
            $($text => Some($name::$variant),)+
            _ => None,
        });
    };
    (@encoding $name:ident, $read:expr) => {
        impl std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str(self.as_str())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_str($crate::declare::Text(stringify!($name), $read))
            }
        }
    };
}

/// Declares records that a member tells apart; an `open` union has an arm for those that this version does not know.
macro_rules! union {
    ($(#[$meta:meta])* open $name:ident by $field:literal { $($tag:literal => $variant:ident($arm:ty),)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, serde::Serialize)]
        #[serde(untagged)]
        #[non_exhaustive]
        pub enum $name {
            $(#[doc = concat!("`", $tag, "`")] $variant($arm),)+
            /// One that this version does not know, as it came.
            Unrecognized($crate::RawJson),
        }

        $crate::declare::union!(@decoding $name, $field, [$($tag => $variant($arm),)+], |raw, _tag| {
            Ok($name::Unrecognized($crate::RawJson::from(raw)))
        });
    };
    ($(#[$meta:meta])* closed $name:ident by $field:literal { $($tag:literal => $variant:ident($arm:ty),)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, serde::Serialize)]
        #[serde(untagged)]
        #[non_exhaustive]
        pub enum $name {
            $(#[doc = concat!("`", $tag, "`")] $variant($arm),)+
        }

        $crate::declare::union!(@decoding $name, $field, [$($tag => $variant($arm),)+], |_raw, tag| {
            Err(serde::de::Error::unknown_variant(tag, &[$($tag),+]))
        });
    };
    (@decoding $name:ident, $field:literal, [$($tag:literal => $variant:ident($arm:ty),)+], $other:expr) => {
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                #[derive(serde::Deserialize)]
                struct Tag<'a> {
                    #[serde(borrow, rename = $field)]
                    tag: std::borrow::Cow<'a, str>,
                }

                fn other<E: serde::de::Error>(raw: Box<serde_json::value::RawValue>, tag: &str) -> Result<$name, E> {
                    let other: fn(Box<serde_json::value::RawValue>, &str) -> Result<$name, E> = $other;
                    other(raw, tag)
                }

                let raw = Box::<serde_json::value::RawValue>::deserialize(deserializer)?;
                if !raw.get().starts_with('{') {
                    return Err(serde::de::Error::custom(concat!(stringify!($name), " is an object")));
                }
                let tag = serde_json::from_str::<Tag<'_>>(raw.get()).map_err(serde::de::Error::custom)?.tag;
                match tag.as_ref() {
                    $($tag => $crate::declare::decode(&raw).map(Self::$variant),)+
                    _ => {
                        let tag = tag.into_owned();
                        other(raw, &tag)
                    }
                }
            }
        }

        $(impl From<$arm> for $name {
            fn from(arm: $arm) -> Self {
                Self::$variant(arm)
            }
        })+
    };
}

/// Declares types that JSON itself tells apart, by the first byte of their text.
macro_rules! choice {
    ($(#[$meta:meta])* $name:ident {
        $($first:pat => $variant:ident($option:ty) $(by $field:literal $tag:literal)?,)+
    }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, serde::Serialize)]
        #[serde(untagged)]
        #[non_exhaustive]
        pub enum $name {
            $(#[allow(missing_docs)] $variant($option),)+
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let raw = Box::<serde_json::value::RawValue>::deserialize(deserializer)?;
                match raw.get().as_bytes()[0] {
                    $($first => {
                        $($crate::declare::check_tag(&raw, $field, $tag)?;)?
                        $crate::declare::decode(&raw).map(Self::$variant)
                    })+
                    _ => Err(serde::de::Error::custom(concat!("not what ", stringify!($name), " can be"))),
                }
            }
        }

        $(impl From<$option> for $name {
            fn from(option: $option) -> Self {
                Self::$variant(option)
            }
        })+
    };
}

/// Declares what the absence of a member means, where that is not its type's own default.
macro_rules! defaults {
    ($($name:ident: $type:ty = $value:expr;)+) => {
        $(mod $name {
            pub(super) fn value() -> $type {
                $value.into()
            }

            pub(super) fn is(value: &$type) -> bool {
                *value == self::value()
            }
        })+
    };
}

pub(crate) use {choice, defaults, enumeration, union};

/// Reads a text with a function; `None` refuses it.
pub(crate) struct Text<T>(pub(crate) &'static str, pub(crate) fn(&str) -> Option<T>);

impl<T> Visitor<'_> for Text<T> {
    type Value = T;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "a text of {}", self.0)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        (self.1)(text).ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
    }
}

/// Decodes a text of JSON as part of a larger one.
pub(crate) fn decode<T: DeserializeOwned, E: Error>(raw: &RawValue) -> Result<T, E> {
    serde_json::from_str(raw.get()).map_err(E::custom)
}

/// Refuses an object whose member `field` is not the text `tag`.
pub(crate) fn check_tag<E: Error>(raw: &RawValue, field: &'static str, tag: &'static str) -> Result<(), E> {
    let members: BTreeMap<String, &RawValue> = serde_json::from_str(raw.get()).map_err(E::custom)?;
    let found: String = decode(members.get(field).ok_or_else(|| E::missing_field(field))?)?;
    if found == tag {
        Ok(())
    } else {
        Err(E::invalid_value(Unexpected::Str(&found), &tag))
    }
}

/// Reads a member that may be absent but not null.
pub(crate) fn some<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// Whether a value is what its absence means.
pub(crate) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
