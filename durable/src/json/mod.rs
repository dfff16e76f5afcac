//! Reads JSON into the shop's types.
//!
//! Every type is read from a tree, by one deserializer. A streaming parser would be compiled once
//! more for each type and each kind of source, along with a second way to read each type from an
//! array; together, that was a quarter of the Worker. Map keys are only read as strings, so a
//! newtype around a string can't be a key.

pub mod error;

use error::Error;
use serde::de::value::{SeqDeserializer, StrDeserializer};
use serde::de::{
    Deserialize, DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, Error as _, Expected,
    IntoDeserializer, MapAccess, SeqAccess, Unexpected, VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;
use serde_json::Value;
use std::fmt;
use std::vec::IntoIter;

/// Parses `json` into a value.
///
/// # Errors
/// Fails if it isn't JSON, or doesn't match the type; the message then begins with the path of the
/// mismatch.
pub fn read<T: DeserializeOwned>(json: impl AsRef<[u8]>) -> Result<T, Error> {
    T::deserialize(tree(json.as_ref())?)
}

/// Converts a JSON tree into a value.
///
/// # Errors
/// Fails if it doesn't match the type; the message begins with the path of the mismatch.
pub fn read_value<T: DeserializeOwned>(value: Value) -> Result<T, Error> {
    T::deserialize(Node::deserialize(value)?)
}

fn tree(json: &[u8]) -> Result<Node, Error> {
    Ok(serde_json::from_slice(json)?)
}

/// A JSON value, with object fields in their original order.
enum Node {
    Null,
    Bool(bool),
    Unsigned(u64),
    Signed(i64),
    Float(f64),
    String(String),
    Array(Vec<Self>),
    Object(Vec<(String, Self)>),
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Planter)
    }
}

/// Builds a tree from the parser's events.
struct Planter;

impl<'de> Visitor<'de> for Planter {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
        Ok(Node::Unsigned(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Signed(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Node, E> {
        Ok(Node::Float(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Node, E> {
        Ok(Node::String(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Node, A::Error> {
        let mut nodes = vec![];
        while let Some(node) = items.next_element()? {
            nodes.push(node);
        }
        Ok(Node::Array(nodes))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Node, A::Error> {
        let mut nodes = vec![];
        while let Some(field) = fields.next_entry()? {
            nodes.push(field);
        }
        Ok(Node::Object(nodes))
    }
}

impl Node {
    fn instead_of(&self, expected: &dyn Expected) -> Error {
        let found = match self {
            Self::Null => Unexpected::Unit,
            Self::Bool(value) => Unexpected::Bool(*value),
            Self::Unsigned(value) => Unexpected::Unsigned(*value),
            Self::Signed(value) => Unexpected::Signed(*value),
            Self::Float(value) => Unexpected::Float(*value),
            Self::String(value) => Unexpected::Str(value),
            Self::Array(_) => Unexpected::Seq,
            Self::Object(_) => Unexpected::Map,
        };
        Error::invalid_type(found, expected)
    }
}

impl<'de> Deserializer<'de> for Node {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self {
            Self::Null => visitor.visit_unit(),
            Self::Bool(value) => visitor.visit_bool(value),
            Self::Unsigned(value) => visitor.visit_u64(value),
            Self::Signed(value) => visitor.visit_i64(value),
            Self::Float(value) => visitor.visit_f64(value),
            Self::String(value) => visitor.visit_string(value),
            Self::Array(items) => visitor.visit_seq(SeqDeserializer::new(items.into_iter())),
            Self::Object(fields) => visitor.visit_map(Fields::of(fields)),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self {
            Self::Null => visitor.visit_none(),
            value => visitor.visit_some(value),
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self {
            Self::Array(items) => visitor.visit_seq(SeqDeserializer::new(items.into_iter())),
            other => Err(other.instead_of(&visitor)),
        }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self {
            Self::Object(fields) => visitor.visit_map(Fields::of(fields)),
            other => Err(other.instead_of(&visitor)),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_map(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        _len: usize,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_enum(self.into_variant()?)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf
        unit unit_struct tuple_struct identifier ignored_any
    }
}

impl IntoDeserializer<'_, Error> for Node {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

/// Fields of an object.
struct Fields {
    rest: IntoIter<(String, Node)>,
    name: String,
    value: Node,
}

impl Fields {
    fn of(fields: Vec<(String, Node)>) -> Self {
        Self {
            rest: fields.into_iter(),
            name: String::new(),
            value: Node::Null,
        }
    }

    fn advance(&mut self) -> bool {
        let Some((name, value)) = self.rest.next() else {
            return false;
        };
        self.name = name;
        self.value = value;
        true
    }
}

impl<'de> MapAccess<'de> for Fields {
    type Error = Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Error> {
        if !self.advance() {
            return Ok(None);
        }
        seed.deserialize(StrDeserializer::<Error>::new(&self.name))
            .map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Error> {
        let value = std::mem::replace(&mut self.value, Node::Null);
        seed.deserialize(value)
            .map_err(|error| error.within(&self.name))
    }
}

/// An enum variant: its name and its content.
struct Variant(String, Node);

impl Node {
    /// Reads a string as a variant without content, and an object with one field as a variant with
    /// the content under its name.
    fn into_variant(self) -> Result<Variant, Error> {
        let fields = match self {
            Self::String(name) => return Ok(Variant(name, Self::Null)),
            Self::Object(fields) => fields,
            other => return Err(other.instead_of(&"a word or an object")),
        };
        let mut fields = fields.into_iter();
        match (fields.next(), fields.next()) {
            (Some((name, content)), None) => Ok(Variant(name, content)),
            _ => Err(Error::custom("expected an object of one field")),
        }
    }
}

impl<'de> EnumAccess<'de> for Variant {
    type Error = Error;
    type Variant = Node;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Node), Error> {
        Ok((
            seed.deserialize(StrDeserializer::<Error>::new(&self.0))?,
            self.1,
        ))
    }
}

impl<'de> VariantAccess<'de> for Node {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        match self {
            Self::Null => Ok(()),
            other => Err(other.instead_of(&"no content")),
        }
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, Error> {
        seed.deserialize(self)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _len: usize, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_seq(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_map(visitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;
    use std::collections::BTreeMap;

    #[derive(Debug, PartialEq, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Parcel {
        lines: Vec<Line>,
        #[serde(default)]
        note: Option<String>,
    }

    #[derive(Debug, PartialEq, serde::Deserialize)]
    struct Line {
        quantity: u32,
        state: State,
    }

    #[derive(Debug, PartialEq, Eq, PartialOrd, Ord, serde::Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum State {
        Packed,
        Sent { days: u8 },
        Lost(String),
    }

    fn fault_of(json: &str) -> String {
        read::<Parcel>(json).unwrap_err().to_string()
    }

    #[test]
    fn a_variant_names_a_field() {
        let counts: BTreeMap<State, u32> = read(r#"{"packed":2}"#).unwrap();
        assert_eq!(counts, BTreeMap::from([(State::Packed, 2)]));
        assert!(read::<BTreeMap<State, u32>>(r#"{"unpacked":2}"#).is_err());
    }

    #[test]
    fn structs_and_enums_are_read() {
        let json = r#"{"lines":[{"quantity":1,"state":"packed","more":[{}]},{"quantity":2,"state":{"sent":{"days":3}}},{"quantity":3,"state":{"lost":"at sea"}}],"note":null}"#;
        let states = [
            State::Packed,
            State::Sent { days: 3 },
            State::Lost("at sea".to_owned()),
        ];
        let lines = (1..).zip(states);
        let lines = lines
            .map(|(quantity, state)| Line { quantity, state })
            .collect();
        assert_eq!(read::<Parcel>(json).unwrap(), Parcel { lines, note: None });
    }

    #[test]
    fn a_fault_names_its_place() {
        for (json, fault) in [
            (
                r#"{"lines":[],"notes":1}"#,
                "unknown field `notes`, expected `lines` or `note`",
            ),
            (
                r#"{"lines":[{"quantity":-1}]}"#,
                "lines: quantity: invalid value: integer `-1`, expected u32",
            ),
            (
                r#"{"lines":[{"quantity":1,"state":"gone"}]}"#,
                "lines: state: unknown variant `gone`, expected one of `packed`, `sent`, `lost`",
            ),
            (
                r#"{"lines":[{"quantity":1,"state":{"sent":{"days":300}}}]}"#,
                "lines: state: days: invalid value: integer `300`, expected u8",
            ),
            (
                r#"{"lines":[{"quantity":1,"state":"sent"}]}"#,
                "lines: state: invalid type: null, expected struct variant State::Sent",
            ),
            (
                r#"{"lines":[{"quantity":1,"state":{"packed":1}}]}"#,
                "lines: state: invalid type: integer `1`, expected no content",
            ),
            (
                r#"{"lines":[{"quantity":1,"state":{"sent":{"days":1},"lost":""}}]}"#,
                "lines: state: expected an object of one field",
            ),
            (r#"{"lines":[],"lines":[]}"#, "duplicate field `lines`"),
            (r#"{"note":"x"}"#, "missing field `lines`"),
            (
                r#"[[],"x"]"#,
                "invalid type: sequence, expected struct Parcel",
            ),
            (
                r#"{"lines":[]"#,
                "EOF while parsing an object at line 1 column 11",
            ),
            (
                r#"{"lines":[]} x"#,
                "trailing characters at line 1 column 14",
            ),
        ] {
            assert_eq!(fault_of(json), fault, "{json}");
        }
    }

    fn trees() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<i32>().prop_map(|number| json!(f64::from(number))),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::btree_map(any::<String>(), inner, 0..5)
                    .prop_map(|fields| Value::Object(fields.into_iter().collect())),
            ]
        })
    }

    #[test]
    fn a_field_that_the_type_lacks_is_told_from_any_other_fault() {
        let fault = |json: &str| read::<Parcel>(json).unwrap_err();
        assert!(fault(r#"{"lines": [], "weight": 1}"#).is_unknown_field());
        assert!(!fault(r#"{"lines": "unknown field `x`"}"#).is_unknown_field());
        assert!(!fault("{").is_unknown_field());
    }

    proptest! {
        #[test]
        fn any_tree_comes_out_as_it_went_in(tree in trees()) {
            prop_assert_eq!(read::<Value>(tree.to_string()).unwrap(), tree.clone());
            prop_assert_eq!(read_value::<Value>(tree.clone()).unwrap(), tree);
        }

        #[test]
        fn keys_may_be_any_text(map in prop::collection::btree_map(any::<String>(), any::<u64>(), 0..9)) {
            let json = serde_json::to_string(&map).unwrap();
            prop_assert_eq!(read::<BTreeMap<String, u64>>(json).unwrap(), map);
        }
    }
}
