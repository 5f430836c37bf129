//! What the handles of all kinds have alike.

/// Makes `$handle`, whose one field is an `Arc<Shared<_>>`, a handle of its kind.
macro_rules! handle {
    ($handle:ident $(<$item:ident: $bound:path>)?, $kind:expr) => {
        impl $(<$item: $bound>)? $handle $(<$item>)? {
            pub(super) fn of(object: $crate::share::Object) -> $crate::Result<Self> {
                Ok(Self(std::sync::Arc::new(object.into_kind($kind)?)))
            }

            /// Its name; empty if it has none.
            pub fn name(&self) -> &str {
                &self.0.name
            }
        }

        impl $(<$item: $bound>)? std::fmt::Debug for $handle $(<$item>)? {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{}", self.0.called($kind))
            }
        }
    };
}
pub(super) use handle;
