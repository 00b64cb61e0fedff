//! Against the real engine. What these make they remove; what they look for carries a label of their own.

mod lab;
mod shape;
mod sight;
