//! The table against what is registered.
