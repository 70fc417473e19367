//! Tests of the library against golden tables, stock Java, crashes and models.

mod coverage;
mod replay;
mod rows;
