//! Describes types in words by letting serde read them from nothing: every read is answered with zero and noted.
//!
//! The idea of tracing a `Deserialize` is from serde-reflection. Enums are met again and again until each variant was
//! taken once.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, EnumAccess, Error as _, IntoDeserializer, SeqAccess,
    VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;

/// Notes on the types met so far, in the order they were finished.
#[derive(Default)]
pub(crate) struct Tracer {
    order: Vec<&'static str>,
    structs: BTreeMap<&'static str, String>,
    enums: BTreeMap<&'static str, Variants>,
    last: String,
}

#[derive(Default)]
struct Variants {
    next: usize,
    known: Vec<Option<String>>,
}

impl Tracer {
    /// Meets `T` until all of it is known; returns its name.
    pub(crate) fn trace<'de, T: Deserialize<'de>>(&mut self) -> String {
        for _ in 0..1_000 {
            T::deserialize(&mut *self).expect("a traced type must read zeros");
            if self.enums.values().all(|variants| variants.known.iter().all(Option::is_some)) {
                return std::mem::take(&mut self.last);
            }
        }
        panic!("some variant cannot be reached");
    }

    /// One line a type.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.order
            .iter()
            .map(|name| match (self.structs.get(name), self.enums.get(name)) {
                (Some(fields), _) => format!("struct {name} {{ {fields} }}"),
                (_, Some(variants)) => {
                    let numbered = variants.known.iter().flatten().enumerate();
                    let list: Vec<_> =
                        numbered.map(|(number, variant)| format!("{number} {variant}")).collect();
                    format!("enum {name} {{ {} }}", list.join(", "))
                }
                (None, None) => unreachable!("only described types are in the order"),
            })
            .collect()
    }

    fn meet(&mut self, name: &'static str) {
        if !self.order.contains(&name) {
            self.order.push(name);
        }
    }

    fn fields<'de, V: Visitor<'de>>(
        &mut self,
        fields: &[&str],
        visitor: V,
    ) -> Result<(V::Value, Vec<String>), Failed> {
        let mut access = Fields { tracer: self, left: fields.len(), types: Vec::new() };
        let value = visitor.visit_seq(&mut access)?;
        let named = fields.iter().zip(&access.types);
        Ok((value, named.map(|(field, kind)| format!("{field}: {kind}")).collect()))
    }

    fn elements<'de, V: Visitor<'de>>(
        &mut self,
        len: usize,
        visitor: V,
    ) -> Result<(V::Value, Vec<String>), Failed> {
        let mut access = Fields { tracer: self, left: len, types: Vec::new() };
        let value = visitor.visit_seq(&mut access)?;
        Ok((value, access.types))
    }
}

/// Serde wants an error type; the tests only say that reading failed.
#[derive(Debug)]
pub(crate) struct Failed;

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("type cannot be traced")
    }
}

impl std::error::Error for Failed {}

impl serde::de::Error for Failed {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

struct Fields<'a> {
    tracer: &'a mut Tracer,
    left: usize,
    types: Vec<String>,
}

impl<'de> SeqAccess<'de> for &mut Fields<'_> {
    type Error = Failed;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Failed> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        let value = seed.deserialize(&mut *self.tracer)?;
        self.types.push(std::mem::take(&mut self.tracer.last));
        Ok(Some(value))
    }
}

macro_rules! numbers {
    ($($method:ident $visit:ident $name:ident)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failed> {
            self.last = stringify!($name).to_owned();
            visitor.$visit($name::default())
        })*
    };
}

impl<'de> Deserializer<'de> for &mut Tracer {
    type Error = Failed;

    numbers! {
        deserialize_bool visit_bool bool
        deserialize_u8 visit_u8 u8 deserialize_u16 visit_u16 u16
        deserialize_u32 visit_u32 u32 deserialize_u64 visit_u64 u64
        deserialize_i64 visit_i64 i64 deserialize_f32 visit_f32 f32
    }

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Failed> {
        Err(Failed::custom("a kind of type that the wire does not use so far"))
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Failed> {
        let (value, types) = self.elements(len, visitor)?;
        self.last = format!("[{}; {len}]", types.first().map_or("", String::as_str));
        Ok(value)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Failed> {
        let (value, fields) = self.fields(fields, visitor)?;
        self.structs.insert(name, fields.join(", "));
        self.meet(name);
        self.last = name.to_owned();
        Ok(value)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Failed> {
        let known = self.enums.entry(name).or_default();
        known.known.resize(variants.len(), None);
        let index = known.next;
        known.next = (index + 1) % variants.len();
        let mut described = variants[index].to_owned();
        let value = visitor.visit_enum(Variant { tracer: self, index, described: &mut described })?;
        if let Some(slot) = self.enums.get_mut(name).and_then(|known| known.known.get_mut(index)) {
            *slot = Some(described);
        }
        self.meet(name);
        self.last = name.to_owned();
        Ok(value)
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i128 u128 f64 char str string bytes byte_buf option unit unit_struct newtype_struct seq
        tuple_struct map identifier ignored_any
    }
}

struct Variant<'a> {
    tracer: &'a mut Tracer,
    index: usize,
    described: &'a mut String,
}

impl<'de> EnumAccess<'de> for Variant<'_> {
    type Error = Failed;
    type Variant = Self;

    fn variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<(T::Value, Self), Failed> {
        let index = u32::try_from(self.index).ok().ok_or(Failed)?;
        let deserializer: serde::de::value::U32Deserializer<Failed> = index.into_deserializer();
        Ok((seed.deserialize(deserializer)?, self))
    }
}

impl<'de> VariantAccess<'de> for Variant<'_> {
    type Error = Failed;

    fn unit_variant(self) -> Result<(), Failed> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Failed> {
        let value = seed.deserialize(&mut *self.tracer)?;
        self.described.push_str(&format!("({})", self.tracer.last));
        Ok(value)
    }

    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Failed> {
        let (value, types) = self.tracer.elements(len, visitor)?;
        self.described.push_str(&format!("({})", types.join(", ")));
        Ok(value)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Failed> {
        let (value, fields) = self.tracer.fields(fields, visitor)?;
        self.described.push_str(&format!(" {{ {} }}", fields.join(", ")));
        Ok(value)
    }
}
