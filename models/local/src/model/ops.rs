//! The arithmetic between the matrix products, on plain slices: sums, normalising, the activation, softmax.
//!
//! Written so that the compiler can use the vector registers: a fixed number of partial sums, no calls in the inner loops.

/// Partial sums of a reduction. Float addition may not be reordered by the compiler, so the order is given here.
const LANES: usize = 16;
/// Added to a variance so that a row of equal numbers does not divide by zero; the model was trained with it.
const NORM_EPSILON: f32 = 1e-12;

/// `rows[i] = normalised(rows[i] + bias + residual[i]) * gain + shift`, a row being as long as `bias`.
pub(super) fn add_and_normalise(
    rows: &mut [f32],
    bias: &[f32],
    residual: &[f32],
    gain: &[f32],
    shift: &[f32],
) {
    let width = bias.len();
    for (row, residual) in rows.chunks_exact_mut(width).zip(residual.chunks_exact(width)) {
        for ((value, bias), residual) in row.iter_mut().zip(bias).zip(residual) {
            *value += bias + residual;
        }
        normalise(row, gain, shift);
    }
}

/// Layer normalisation of one row.
pub(super) fn normalise(row: &mut [f32], gain: &[f32], shift: &[f32]) {
    let count = row.len() as f32;
    let mean = sum(row, |value| value) / count;
    let variance = sum(row, |value| (value - mean) * (value - mean)) / count;
    let scale = 1.0 / (variance + NORM_EPSILON).sqrt();
    for ((value, gain), shift) in row.iter_mut().zip(gain).zip(shift) {
        *value = (*value - mean) * scale * gain + shift;
    }
}

/// `rows[i] = gelu(rows[i] + bias)`, with the exact (error function) form of the activation.
pub(super) fn add_and_gelu(rows: &mut [f32], bias: &[f32]) {
    for row in rows.chunks_exact_mut(bias.len()) {
        for (value, bias) in row.iter_mut().zip(bias) {
            let x = *value + bias;
            *value = 0.5 * x * (1.0 + erf(x * std::f32::consts::FRAC_1_SQRT_2));
        }
    }
}

/// The error function, within 1e-6: an odd rational function on -4..4, and nearly 1 beyond. Coefficients: the minimax fit that
/// Eigen and XLA use for `f32`.
fn erf(x: f32) -> f32 {
    let x = x.clamp(-4.0, 4.0);
    let square = x * x;
    let mut above = -2.726_142e-10;
    for coefficient in
        [2.770_681_4e-8, -2.101_024e-6, -5.692_506_4e-5, -7.349_906_4e-4, -2.954_6e-3, -1.609_603_3e-2]
    {
        above = above * square + coefficient;
    }
    let mut below = -1.456_607_2e-5;
    for coefficient in [-2.133_740_5e-4, -1.682_827e-3, -7.373_329e-3, -1.426_473_9e-2] {
        below = below * square + coefficient;
    }
    x * above / below
}

/// Every row of `width` numbers becomes positive and sums to 1.
pub(super) fn softmax(rows: &mut [f32], width: usize) {
    for row in rows.chunks_exact_mut(width) {
        let largest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        for value in row.iter_mut() {
            *value = (*value - largest).exp();
        }
        let scale = 1.0 / sum(row, |value| value);
        for value in row {
            *value *= scale;
        }
    }
}

/// The mean of the rows, made one long; zero stays zero.
pub(super) fn mean_direction<const N: usize>(rows: &[f32]) -> [f32; N] {
    let mut mean = [0.0; N];
    for row in rows.chunks_exact(N) {
        for (total, value) in mean.iter_mut().zip(row) {
            *total += value;
        }
    }
    let length = sum(&mean, |value| value * value).sqrt();
    if length > 0.0 {
        for value in &mut mean {
            *value /= length;
        }
    }
    mean
}

fn sum(values: &[f32], of: impl Fn(f32) -> f32) -> f32 {
    let mut partial = [0.0_f32; LANES];
    let chunks = values.chunks_exact(LANES);
    let rest: f32 = chunks.remainder().iter().map(|value| of(*value)).sum();
    for chunk in chunks {
        for (total, value) in partial.iter_mut().zip(chunk) {
            *total += of(*value);
        }
    }
    partial.iter().sum::<f32>() + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_activation_is_the_exact_one_within_what_f32_can_tell() {
        let mut worst = 0.0_f64;
        for step in -80_000..80_000 {
            let x = step as f32 / 10_000.0;
            let exact = 0.5 * f64::from(x) * (1.0 + libm::erf(f64::from(x) / 2.0_f64.sqrt()));
            let mut row = [x];
            add_and_gelu(&mut row, &[0.0]);
            worst = worst.max((f64::from(row[0]) - exact).abs());
        }
        assert!(worst < 2e-6, "off by {worst}");
    }

    #[test]
    fn normalised_rows_have_mean_zero_and_variance_one_before_gain_and_shift() {
        let mut rows: Vec<f32> = (0..2 * 37).map(|i| (i * i % 17) as f32).collect();
        let (bias, residual) = (vec![0.5; 37], vec![1.0; 2 * 37]);
        add_and_normalise(&mut rows, &bias, &residual, &[2.0; 37], &[3.0; 37]);
        for row in rows.chunks_exact(37) {
            let mean = row.iter().sum::<f32>() / 37.0;
            let variance = row.iter().map(|value| (value - mean).powi(2)).sum::<f32>() / 37.0;
            assert!((mean - 3.0).abs() < 1e-4 && (variance - 4.0).abs() < 1e-3, "{mean} {variance}");
        }
    }

    #[test]
    fn softmax_survives_large_numbers_and_sums_to_one() {
        let mut rows = vec![1000.0, 1001.0, 999.0, -1e30, 0.0, 0.0];
        softmax(&mut rows, 3);
        assert!((rows[..3].iter().sum::<f32>() - 1.0).abs() < 1e-6 && rows[1] > rows[0] && rows[0] > rows[2]);
        assert_eq!(rows[3..], [0.0, 0.5, 0.5]);
    }

    #[test]
    fn a_mean_of_nothing_is_zero_and_no_division_by_zero() {
        assert_eq!(mean_direction::<4>(&[]), [0.0; 4]);
        assert_eq!(mean_direction::<2>(&[3.0, 0.0, 3.0, 8.0]), [0.6, 0.8]);
    }
}
