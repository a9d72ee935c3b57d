//! The picture: how the training went, and what the network thinks while it listens.

use std::error::Error;
use std::ops::Range;

use plotters::coord::Shift;
use plotters::coord::types::RangedCoordf32;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::model::{X, Y};
use crate::train::Epoch;

/// One recording and the probabilities after each of its samples.
pub struct Trace<'a> {
    pub name: &'a str,
    pub class: usize,
    pub samples: &'a [[f32; X]],
    pub probabilities: Vec<[f32; Y]>,
}

/// What the picture shows.
pub struct Picture<'a> {
    pub title: String,
    pub epochs: &'a [Epoch],
    pub classes: &'a [String],
    /// At most one of each class.
    pub traces: &'a [Trace<'a>],
    pub samples_per_second: f32,
}

type Result<T> = std::result::Result<T, Box<dyn Error>>;
type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Chart<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<RangedCoordf32, RangedCoordf32>>;

const SIZE: (u32, u32) = (1280, 1000);
const MARGIN: u32 = 28;
const FONT: &str = "sans-serif";

/// Okabe and Ito's colours, which people with any kind of colour vision can tell apart.
const CLASSES: [RGBColor; Y] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
];
/// The three axes of the accelerometer, which are the first three channels.
const AXES: [RGBColor; 3] = [
    RGBColor(30, 30, 30),
    RGBColor(120, 120, 120),
    RGBColor(185, 185, 185),
];
const INK: RGBColor = RGBColor(40, 40, 40);
const GRID: RGBColor = RGBColor(230, 230, 230);
const CURVE: RGBColor = RGBColor(70, 70, 70);

impl Picture<'_> {
    /// The picture as SVG: the training above, below it one recording of each class, a column each.
    pub fn svg(&self) -> Result<String> {
        let mut svg = String::new();
        {
            let page = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
            page.fill(&WHITE)?;
            let page = page.margin(MARGIN, MARGIN, MARGIN, MARGIN);
            let (heading, page) = page.split_vertically(48);
            write(&heading, &self.title, (0, 0), 25)?;
            let (training, page) = page.split_vertically(330);
            let (loss, accuracy) = training.split_horizontally(50.percent_width());
            self.loss(&loss)?;
            self.accuracy(&accuracy)?;
            let (legend, page) = page.split_vertically(90);
            self.legend(&legend)?;
            let (signals, probabilities) = page.split_vertically(40.percent_height());
            let signals = signals.split_evenly((1, Y));
            let probabilities = probabilities.split_evenly((1, Y));
            for (i, trace) in self.traces.iter().enumerate() {
                self.signal(&signals[i], trace)?;
                self.probabilities(&probabilities[i], trace)?;
            }
        }
        Ok(svg)
    }

    /// The loss over the epochs, on a logarithmic scale.
    fn loss(&self, area: &Area) -> Result<()> {
        let logs: Vec<f32> = self
            .epochs
            .iter()
            .map(|e| e.loss.max(1e-6).log10())
            .collect();
        let lowest = logs.iter().fold(-1.0_f32, |a, b| a.min(*b)).floor();
        let highest = logs.iter().fold(0.0_f32, |a, b| a.max(*b)) + 0.1;
        let mut chart = Axes {
            caption: "Training loss (mean cross-entropy)",
            ink: INK,
            x: (1.0..self.last_epoch(), "epoch"),
            y: lowest..highest,
            y_ticks: (highest - lowest) as usize + 2,
            y_format: &|log| format!("{}", 10_f32.powf(*log)),
        }
        .draw(area)?;
        line(&mut chart, numbered(&logs, 1.0), CURVE, 2)
    }

    fn accuracy(&self, area: &Area) -> Result<()> {
        let percent: Vec<f32> = self.epochs.iter().map(|e| 100.0 * e.accuracy).collect();
        let mut chart = Axes {
            caption: "Training accuracy",
            ink: INK,
            x: (1.0..self.last_epoch(), "epoch"),
            y: 0.0..103.0,
            y_ticks: 6,
            y_format: &|percent| format!("{percent} %"),
        }
        .draw(area)?;
        line(&mut chart, numbered(&percent, 1.0), CURVE, 2)
    }

    fn last_epoch(&self) -> f32 {
        self.epochs.len().max(2) as f32
    }

    /// What the lower half shows, and what its colours mean.
    fn legend(&self, area: &Area) -> Result<()> {
        let heading =
            "One test recording of each activity, sample by sample through the trained network";
        write(area, heading, (0, 20), 20)?;
        let classes = self.classes.iter().map(String::as_str).zip(CLASSES);
        let axes = ["acceleration along x", "along y", "along z"]
            .into_iter()
            .zip(AXES);
        let mut x = 0;
        for (name, colour) in classes.chain(axes) {
            let swatch = [(x, 59), (x + 26, 67)];
            area.draw(&Rectangle::new(swatch, colour.filled()))?;
            write(area, name, (x + 34, 54), 16)?;
            x += 66 + 8 * name.chars().count() as i32;
        }
        Ok(())
    }

    /// What the accelerometer measured.
    fn signal(&self, area: &Area, trace: &Trace) -> Result<()> {
        let all = self.traces.iter().flat_map(|trace| trace.samples);
        let greatest = all
            .flat_map(|x| &x[..3])
            .fold(1.0_f32, |a, b| a.max(b.abs()));
        let mut chart = Axes {
            caption: &format!("{}, recording {}", self.classes[trace.class], trace.name),
            ink: CLASSES[trace.class],
            x: (0.0..self.seconds(trace), ""),
            y: -1.05 * greatest..1.05 * greatest,
            y_ticks: 5,
            y_format: &|value| format!("{value}"),
        }
        .draw(area)?;
        for (k, colour) in AXES.into_iter().enumerate() {
            let channel: Vec<f32> = trace.samples.iter().map(|x| x[k]).collect();
            line(&mut chart, self.timed(&channel), colour, 1)?;
        }
        Ok(())
    }

    /// The probability of each class after each sample.
    fn probabilities(&self, area: &Area, trace: &Trace) -> Result<()> {
        let mut chart = Axes {
            caption: "probability of each activity",
            ink: INK,
            x: (0.0..self.seconds(trace), "seconds"),
            y: 0.0..1.04,
            y_ticks: 6,
            y_format: &|p| format!("{p:.1}"),
        }
        .draw(area)?;
        for (k, colour) in CLASSES.into_iter().enumerate() {
            let class: Vec<f32> = trace.probabilities.iter().map(|y| y[k]).collect();
            line(&mut chart, self.timed(&class), colour, 3)?;
        }
        Ok(())
    }

    fn seconds(&self, trace: &Trace) -> f32 {
        trace.samples.len() as f32 / self.samples_per_second
    }

    /// The points of a curve over the seconds. Sample number t is known at its end.
    fn timed(&self, values: &[f32]) -> Vec<(f32, f32)> {
        numbered(values, 1.0 / self.samples_per_second)
    }
}

fn numbered(values: &[f32], distance: f32) -> Vec<(f32, f32)> {
    let numbers = (1..).map(|i| i as f32 * distance);
    numbers.zip(values.iter().copied()).collect()
}

/// The frame of a chart.
struct Axes<'a> {
    caption: &'a str,
    /// The colour of the caption.
    ink: RGBColor,
    x: (Range<f32>, &'a str),
    y: Range<f32>,
    y_ticks: usize,
    y_format: &'a dyn Fn(&f32) -> String,
}

impl Axes<'_> {
    fn draw<'a, 'b>(self, area: &'a Area<'b>) -> Result<Chart<'a, 'b>> {
        let mut chart = ChartBuilder::on(area)
            .caption(self.caption, (FONT, 17).into_font().color(&self.ink))
            .margin_right(18)
            .x_label_area_size(if self.x.1.is_empty() { 26 } else { 46 })
            .y_label_area_size(52)
            .build_cartesian_2d(self.x.0, self.y)?;
        chart
            .configure_mesh()
            .disable_x_mesh()
            .bold_line_style(GRID)
            .light_line_style(TRANSPARENT)
            .axis_style(INK)
            .label_style((FONT, 14).into_font().color(&INK))
            .axis_desc_style((FONT, 15).into_font().color(&INK))
            .x_labels(6)
            .x_label_formatter(&|x| format!("{x:.0}"))
            .x_desc(self.x.1)
            .y_labels(self.y_ticks)
            .y_label_formatter(self.y_format)
            .draw()?;
        Ok(chart)
    }
}

fn line(chart: &mut Chart, points: Vec<(f32, f32)>, colour: RGBColor, width: u32) -> Result<()> {
    chart.draw_series(LineSeries::new(points, colour.stroke_width(width)))?;
    Ok(())
}

fn write(area: &Area, text: &str, at: (i32, i32), size: u32) -> Result<()> {
    let style = (FONT, size).into_font().color(&INK);
    let style = style.pos(Pos::new(HPos::Left, VPos::Top));
    area.draw(&Text::new(text.to_owned(), at, style))?;
    Ok(())
}
