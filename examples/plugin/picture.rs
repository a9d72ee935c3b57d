//! The picture: some milliseconds of what goes in and of what comes out.

use std::error::Error;

use plotters::prelude::*;

const SIZE: (u32, u32) = (1280, 520);
const FONT: &str = "sans-serif";
const MILLISECONDS: f32 = 20.0;

/// Two of Okabe and Ito's colours, which people with any kind of colour vision can tell apart.
const CURVES: [(&str, RGBColor); 2] = [
    ("in", RGBColor(120, 120, 120)),
    ("out", RGBColor(0, 114, 178)),
];
const GRID: RGBColor = RGBColor(230, 230, 230);

/// In and out of one channel as SVG, shortly after the loudest sample that went in.
pub fn svg(
    title: &str,
    input: &[f32],
    output: &[f32],
    rate: u32,
) -> Result<String, Box<dyn Error>> {
    let per_millisecond = rate as f32 / 1000.0;
    let shown = ((MILLISECONDS * per_millisecond) as usize).clamp(1, input.len());
    let loudest = (0..input.len()).fold(0, |l, t| {
        if input[t].abs() > input[l].abs() {
            t
        } else {
            l
        }
    });
    let begin = (loudest + 5 * shown).min(input.len() - shown);
    let part = [input, output].map(|sound| &sound[begin..][..shown]);
    let height =
        (part.into_iter().flatten()).fold(1e-3_f32, |h, sample| h.max(1.05 * sample.abs()));
    let first = begin as f32 / per_millisecond;

    let mut svg = String::new();
    {
        let page = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        page.fill(&WHITE)?;
        let mut chart = ChartBuilder::on(&page)
            .caption(title, (FONT, 22))
            .margin(24)
            .x_label_area_size(46)
            .y_label_area_size(60)
            .build_cartesian_2d(
                first..first + shown as f32 / per_millisecond,
                -height..height,
            )?;
        chart
            .configure_mesh()
            .bold_line_style(GRID)
            .light_line_style(TRANSPARENT)
            .label_style((FONT, 15))
            .axis_desc_style((FONT, 16))
            .x_desc("milliseconds")
            .x_label_formatter(&|x| format!("{x:.0}"))
            .draw()?;
        for ((name, colour), sound) in CURVES.into_iter().zip(part) {
            let point = |(t, sample): (usize, &f32)| (first + t as f32 / per_millisecond, *sample);
            let line = LineSeries::new(sound.iter().enumerate().map(point), colour.stroke_width(2));
            let label = chart.draw_series(line)?.label(name);
            label.legend(move |(x, y)| {
                Rectangle::new([(x, y - 3), (x + 20, y + 3)], colour.filled())
            });
        }
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::UpperRight)
            .label_font((FONT, 16))
            .background_style(WHITE)
            .draw()?;
        page.present()?;
    }
    Ok(svg)
}
