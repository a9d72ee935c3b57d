//! How the time of 100 steps of an LSTM grows with its units and with the batch, for `bptt` and the
//! other engines: a table, and a picture beside this package's Cargo.toml for the README.
//!
//! ```text
//! export RUSTFLAGS="-C target-cpu=native"    which nexus-inference needs, and bptt does not
//! cargo bench --bench growth                 measures, some minutes, and draws growth.svg
//! ```

#[allow(dead_code)] // the medians are drawn, the quartiles are not
mod engines;

use std::error::Error;
use std::fs;

use engines::{NAMES, measure, on_one_thread};
use peers::work::{Case, Cell, Task};
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

type Result<T> = std::result::Result<T, Box<dyn Error>>;
type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/growth.svg");
const SIZE: (u32, u32) = (1200, 900);
const FONT: &str = "sans-serif";
const INK: RGBColor = RGBColor(40, 40, 40);
const GRID: RGBColor = RGBColor(228, 228, 228);
/// Okabe and Ito's colours, which people with any kind of colour vision can tell apart; ours is
/// black.
const COLOURS: [RGBColor; NAMES.len()] = [
    RGBColor(0, 0, 0),
    RGBColor(204, 121, 167),
    RGBColor(240, 228, 66),
    RGBColor(0, 158, 115),
    RGBColor(213, 94, 0),
    RGBColor(230, 159, 0),
    RGBColor(0, 114, 178),
    RGBColor(86, 180, 233),
    RGBColor(150, 150, 150),
];

/// One of the four plots.
struct Panel {
    title: &'static str,
    axis: &'static str,
    /// What grows, and the time in seconds of every engine.
    points: Vec<(usize, [Option<f64>; NAMES.len()])>,
}

impl Panel {
    fn measure(
        title: &'static str,
        axis: &'static str,
        cases: impl Iterator<Item = (usize, Case)>,
    ) -> Self {
        println!("\n{title}, µs:\n\n| {axis} | {} |", NAMES.join(" | "));
        println!("|---|{}", "---|".repeat(NAMES.len()));
        let points = cases.map(|(n, case)| {
            let times = measure(case).map(|time| Some(time?.median));
            let cells =
                times.map(|time| time.map_or("–".into(), |time| format!("{:.1}", 1e6 * time)));
            println!("| {n} | {} |", cells.join(" | "));
            (n, times)
        });
        Panel {
            title,
            axis,
            points: points.collect(),
        }
    }

    /// Whether an engine has no point in it.
    fn lacks(&self, engine: usize) -> bool {
        self.points.iter().all(|(_, times)| times[engine].is_none())
    }

    /// Both axes are logarithmic: to the base 2, and to the base 10.
    fn draw(&self, area: &Area) -> Result<()> {
        let x = |n: usize| (n as f64).log2();
        let (first, last) = (x(self.points[0].0), x(self.points[self.points.len() - 1].0));
        let logs = self
            .points
            .iter()
            .flat_map(|(_, times)| times.iter().flatten());
        let logs: Vec<f64> = logs.map(|time| time.log10()).collect();
        let lowest = logs.iter().fold(f64::INFINITY, |a, b| a.min(*b)).floor();
        let highest = logs.iter().fold(f64::NEG_INFINITY, |a, b| a.max(*b)).ceil();
        let mut chart = ChartBuilder::on(area)
            .caption(self.title, (FONT, 18, &INK))
            .margin(10)
            .margin_right(24)
            .x_label_area_size(48)
            .y_label_area_size(72)
            .build_cartesian_2d(first..last, lowest..highest)?;
        chart
            .configure_mesh()
            .bold_line_style(GRID)
            .light_line_style(TRANSPARENT)
            .axis_style(INK)
            .label_style((FONT, 15, &INK))
            .axis_desc_style((FONT, 16, &INK))
            .x_desc(self.axis)
            .x_labels(self.points.len())
            .x_label_formatter(&|log| format!("{}", log.exp2().round()))
            .y_labels((highest - lowest) as usize + 1)
            .y_label_formatter(&|log| duration(*log))
            .draw()?;
        // Ours last, above the others.
        for (i, colour) in COLOURS.iter().enumerate().rev() {
            let points = self.points.iter();
            let points = points.filter_map(|(n, times)| Some((x(*n), times[i]?.log10())));
            let width = if i == 0 { 3 } else { 2 };
            chart.draw_series(LineSeries::new(points.clone(), colour.stroke_width(width)))?;
            chart
                .draw_series(points.map(|point| Circle::new(point, width + 1, colour.filled())))?;
        }
        Ok(())
    }
}

/// A power of ten of a second.
fn duration(log: f64) -> String {
    let log = log.round() as i32;
    let unit = ["ns", "µs", "ms", "s"][(log.div_euclid(3) + 3).clamp(0, 3) as usize];
    format!("{} {unit}", 10_i32.pow(log.rem_euclid(3) as u32))
}

fn picture(panels: &[Panel; 4]) -> Result<String> {
    let mut svg = String::new();
    {
        let page = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        page.fill(&WHITE)?;
        let (legend, plots) = page.split_vertically(56);
        let mut x = 86;
        for (i, (name, colour)) in NAMES.iter().zip(COLOURS).enumerate() {
            if panels.iter().all(|panel| panel.lacks(i)) {
                continue;
            }
            legend.draw(&PathElement::new(
                [(x, 32), (x + 30, 32)],
                colour.stroke_width(3),
            ))?;
            legend.draw(&Circle::new((x + 15, 32), 4, colour.filled()))?;
            let style = (FONT, 17, &INK).into_text_style(&legend);
            let style = style.pos(Pos::new(HPos::Left, VPos::Center));
            legend.draw_text(name, &style, (x + 38, 32))?;
            x += 64 + 9 * name.len() as i32;
        }
        for (panel, area) in panels.iter().zip(plots.split_evenly((2, 2))) {
            panel.draw(&area)?;
        }
    }
    Ok(svg)
}

fn panels() -> [Panel; 4] {
    let case = |task, x, a, m| Case {
        cell: Cell::Lstm,
        task,
        x,
        a,
        m,
    };
    let units = [8, 16, 32, 64, 128, 256, 512];
    let samples = [1, 2, 4, 8, 16, 32, 64];
    let by_units = |task| units.into_iter().map(move |a| (a, case(task, 32, a, 1)));
    let by_samples = |task| samples.into_iter().map(move |m| (m, case(task, 32, 64, m)));
    let (a, m) = ("units A", "samples of a batch M");
    [
        Panel::measure(
            "Forward, 100 steps, X = 32, M = 1",
            a,
            by_units(Task::Forward),
        ),
        Panel::measure(
            "Forward, 100 steps, (X, A) = (32, 64)",
            m,
            by_samples(Task::Forward),
        ),
        Panel::measure(
            "Forward and backward, 100 steps, X = 32, M = 1",
            a,
            by_units(Task::Training),
        ),
        Panel::measure(
            "Forward and backward, 100 steps, (X, A) = (32, 64)",
            m,
            by_samples(Task::Training),
        ),
    ]
}

fn main() {
    on_one_thread(|| {
        println!("Instruction set of bptt: {:?}", bptt::backend());
        fs::write(PATH, picture(&panels()).unwrap()).unwrap();
        println!("\n{PATH}");
    });
}
