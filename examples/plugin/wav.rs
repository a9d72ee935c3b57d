//! Sound in WAV files.

use std::fs;
use std::path::Path;

use hound::{SampleFormat, WavReader, WavSpec, WavWriter};

#[derive(Clone, Debug, PartialEq)]
pub struct Sound {
    /// In Hz.
    pub rate: u32,
    /// Equally long; samples in ±1.
    pub channels: Vec<Vec<f32>>,
}

pub fn read(file: &Path) -> Result<Sound, String> {
    let bytes = fs::read(file).map_err(|error| error.to_string())?;
    parse(&bytes)
}

/// Integers of 16 or 24 bits, or floats of 32.
pub fn parse(bytes: &[u8]) -> Result<Sound, String> {
    let mut reader = WavReader::new(bytes).map_err(|error| error.to_string())?;
    let spec = reader.spec();
    let bits = spec.bits_per_sample;
    let samples: Result<Vec<f32>, _> = match (spec.sample_format, bits) {
        (SampleFormat::Float, 32) => reader.samples().collect(),
        (SampleFormat::Int, 16 | 24) => {
            let one = (1 << (bits - 1)) as f32;
            let samples = reader.samples::<i32>();
            samples.map(|sample| Ok(sample? as f32 / one)).collect()
        }
        (format, _) => {
            let there_are = "integers of 16 or 24 bits and floats of 32 are";
            return Err(format!(
                "{format:?} of {bits} bits is not supported, {there_are}"
            ));
        }
    };
    let samples = samples.map_err(|error| error.to_string())?;
    if samples.iter().any(|sample| !sample.is_finite()) {
        return Err("a sample is infinite or not a number".to_owned());
    }
    let channels = usize::from(spec.channels);
    if spec.sample_rate == 0 || channels == 0 || samples.len() < channels {
        return Err("there is no sound in it".to_owned());
    }
    let channel = |n| samples.iter().skip(n).step_by(channels).copied();
    Ok(Sound {
        rate: spec.sample_rate,
        channels: (0..channels).map(|n| channel(n).collect()).collect(),
    })
}

/// As floats of 32 bits: nothing is rounded, and what is greater than 1 stays.
pub fn write(file: &Path, sound: &Sound) -> Result<(), String> {
    let channels = u16::try_from(sound.channels.len()).map_err(|error| error.to_string())?;
    let spec = WavSpec {
        channels,
        sample_rate: sound.rate,
        bits_per_sample: 32,
        sample_format: SampleFormat::Float,
    };
    let frames = sound.channels.first().map_or(0, Vec::len);
    let write = || -> hound::Result<()> {
        let mut writer = WavWriter::create(file, spec)?;
        for frame in 0..frames {
            for channel in &sound.channels {
                writer.write_sample(channel[frame])?;
            }
        }
        writer.finalize()
    };
    write().map_err(|error| error.to_string())
}
