//! creel: runs an AI agent in a Docker container that is safe for production. The binary is one call of
//! [`main`]; the library exists so that benches and fuzz targets reach the pure parts.

mod audit;
mod judge;
mod monitor;
mod names;
mod paths;
mod policy;
mod sandbox;
mod sys;
mod wire;
