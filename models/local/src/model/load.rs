//! Reads the weight files once, front to back, checking the SHA-256 on the way.
//!
//! All numbers go into one block of memory: so large a block is mapped by itself, so giving it back gives it back to the
//! system. A file is not mapped: a file that is cut while it is mapped kills the process that reads it.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use candle_core::{Device, Tensor};
use safetensors::Dtype;
use safetensors::tensor::{Metadata, TensorInfo};
use sha2::{Digest, Sha256};

use super::forward::read;
use super::shape::{Part, Plan, plan};
use crate::catalog::{self, WeightFile};
use crate::checksum::hex;

/// Bytes read at once; a row of numbers fits in. Small enough to stay in the cache while the numbers are put in their places.
const CHUNK: usize = 64 << 10;
/// Longest list of tensors at the start of a file; this model's has 11 kB.
const HEADER_MAX: u64 = 1 << 20;

/// Why the model is not there.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LoadError {
    /// A file is missing.
    #[error("there is no {0}")]
    Missing(PathBuf),
    /// A file is not what it should be.
    #[error("{0}")]
    Damaged(String),
    /// A file cannot be read, or memory is short.
    #[error("cannot load the model: {0}")]
    Failed(String),
}

/// Numbers of all parts, taken out in the order of the plan.
#[derive(Debug)]
pub(super) struct Parts {
    block: Tensor,
    rest: std::vec::IntoIter<Part>,
}

/// The catalogue's entries for the weights and the tokenizer.
pub(super) fn files() -> Result<[&'static WeightFile; 2], LoadError> {
    let file = |end: &str| catalog::minilm().files.iter().find(|file| file.name.ends_with(end));
    match (file(".safetensors"), file(".json")) {
        (Some(weights), Some(tokenizer)) => Ok([weights, tokenizer]),
        _ => Err(LoadError::Failed("weights.toml does not name its files".to_owned())),
    }
}

/// A small file whole.
pub(super) fn read_checked(folder: &Path, file: &WeightFile) -> Result<Vec<u8>, LoadError> {
    let mut source = Checked::open(folder, file)?;
    let mut bytes = Vec::new();
    source.take(file.size).read_to_end(&mut bytes).map_err(|error| source.failed(&error))?;
    source.finish(file)?;
    Ok(bytes)
}

impl Parts {
    /// Reads and checks the file of the weights.
    pub(super) fn read(folder: &Path, file: &WeightFile) -> Result<Self, LoadError> {
        let mut source = Checked::open(folder, file)?;
        let plan = plan();
        let mut block = vec![0.0; plan.count];
        source.tensors(&plan, &mut block)?;
        source.finish(file)?;
        let block = Tensor::from_vec(block, plan.count, &Device::Cpu).map_err(failed)?;
        Ok(Self { block, rest: plan.parts.into_iter() })
    }

    /// The next part as a table; shares the block.
    pub(super) fn table(&mut self) -> Result<Tensor, LoadError> {
        let part = self.next()?;
        self.view(part.at, part.rows, part.columns)
    }

    /// The next `count` parts as one matrix, a row for each input; shares the block.
    pub(super) fn turned(&mut self, count: usize) -> Result<Tensor, LoadError> {
        let first = self.next()?;
        for _ in 1..count {
            self.next()?;
        }
        self.view(first.at, first.columns, first.rows * count)
    }

    /// The next part as numbers of their own.
    pub(super) fn list(&mut self) -> Result<Vec<f32>, LoadError> {
        read(&self.table()?, <[f32]>::to_vec).map_err(failed)
    }

    fn next(&mut self) -> Result<Part, LoadError> {
        self.rest
            .next()
            .ok_or_else(|| LoadError::Failed("the network has more parts than the plan".to_owned()))
    }

    fn view(&self, at: usize, rows: usize, columns: usize) -> Result<Tensor, LoadError> {
        let view = self.block.narrow(0, at, rows * columns).and_then(|view| view.reshape((rows, columns)));
        view.map_err(failed)
    }
}

/// A file that is hashed while it is read.
struct Checked {
    file: File,
    path: PathBuf,
    hash: Sha256,
}

impl Read for &mut Checked {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(into)?;
        self.hash.update(&into[..count]);
        Ok(count)
    }
}

impl Checked {
    fn open(folder: &Path, wanted: &WeightFile) -> Result<Self, LoadError> {
        let path = folder.join(&wanted.name);
        let opened = File::open(&path).and_then(|file| Ok((file.metadata()?.len(), file)));
        let (size, file) = match opened {
            Ok(opened) => opened,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(LoadError::Missing(path)),
            Err(error) => return Err(LoadError::Failed(format!("{}: {error}", path.display()))),
        };
        if size != wanted.size {
            let path = path.display();
            return Err(LoadError::Damaged(format!("{path} has {size} bytes instead of {}", wanted.size)));
        }
        Ok(Self { file, path, hash: Sha256::new() })
    }

    /// The end was reached and the file is the right one.
    fn finish(self, wanted: &WeightFile) -> Result<(), LoadError> {
        if hex(&self.hash.finalize()) == wanted.sha256 {
            return Ok(());
        }
        Err(LoadError::Damaged(format!("{} has the wrong checksum", self.path.display())))
    }

    fn failed(&self, error: &io::Error) -> LoadError {
        // The length was right a moment ago: somebody cuts the file while it is read.
        if error.kind() == io::ErrorKind::UnexpectedEof {
            return self.damaged("ends too early");
        }
        LoadError::Failed(format!("{}: {error}", self.path.display()))
    }

    fn damaged(&self, what: &str) -> LoadError {
        LoadError::Damaged(format!("{} {what}", self.path.display()))
    }

    /// Reads the list of tensors and then all of them, and puts each that is in the plan at its place in the block.
    fn tensors(&mut self, plan: &Plan, block: &mut [f32]) -> Result<(), LoadError> {
        let tensors = self.header()?;
        let mut buffer = vec![0; CHUNK];
        let (mut position, mut found) = (0, 0);
        for name in tensors.offset_keys() {
            let Some(info) = tensors.info(&name) else { continue };
            let (start, end) = info.data_offsets;
            if start != position || end < start {
                return Err(self.damaged("has tensors that overlap"));
            }
            position = end;
            let Some(part) = plan.parts.iter().find(|part| part.name == name) else {
                self.skip(end - start, &mut buffer)?;
                continue;
            };
            if !fits(info, part) {
                return Err(self.damaged(&format!("has a {name} of the wrong shape")));
            }
            self.numbers(part, block, &mut buffer)?;
            found += 1;
        }
        if found == plan.parts.len() { Ok(()) } else { Err(self.damaged("lacks tensors")) }
    }

    fn header(&mut self) -> Result<Metadata, LoadError> {
        let mut length = [0; 8];
        self.fill(&mut length)?;
        let length = u64::from_le_bytes(length);
        if length > HEADER_MAX {
            return Err(self.damaged("is no safetensors file"));
        }
        let mut header = Vec::new();
        let mut source = &mut *self;
        Read::take(&mut source, length).read_to_end(&mut header).map_err(|error| self.failed(&error))?;
        serde_json::from_slice(&header)
            .map_err(|error| self.damaged(&format!("has no list of tensors: {error}")))
    }

    fn numbers(&mut self, part: &Part, block: &mut [f32], buffer: &mut [u8]) -> Result<(), LoadError> {
        let row_bytes = part.columns * 4;
        let rows_max = buffer.len() / row_bytes;
        let mut row = 0;
        while row < part.rows {
            let rows = rows_max.min(part.rows - row);
            let bytes = &mut buffer[..rows * row_bytes];
            self.fill(bytes)?;
            let numbers = bytes.as_chunks().0;
            // Column by column: of a turned part, what is written then lies together.
            for column in 0..part.columns {
                let mut at = part.at + row * part.row_step + column * part.column_step;
                for bytes in numbers[column..].iter().step_by(part.columns) {
                    block[at] = f32::from_le_bytes(*bytes);
                    at += part.row_step;
                }
            }
            row += rows;
        }
        Ok(())
    }

    fn skip(&mut self, mut count: usize, buffer: &mut [u8]) -> Result<(), LoadError> {
        while count > 0 {
            let now = count.min(buffer.len());
            self.fill(&mut buffer[..now])?;
            count -= now;
        }
        Ok(())
    }

    fn fill(&mut self, buffer: &mut [u8]) -> Result<(), LoadError> {
        let mut source = &mut *self;
        source.read_exact(buffer).map_err(|error| self.failed(&error))
    }
}

fn fits(info: &TensorInfo, part: &Part) -> bool {
    let (start, end) = info.data_offsets;
    let shape: &[usize] = if part.rows == 1 { &[part.columns] } else { &[part.rows, part.columns] };
    info.dtype == Dtype::F32 && info.shape == shape && end - start == part.count() * 4
}

fn failed(error: candle_core::Error) -> LoadError {
    LoadError::Failed(error.to_string())
}
