//! The room a simulated body drives in: walls as line segments, rays against them, and room for a round body.
//!
//! Coordinates are those of the body's odometry: it starts at (0, 0) and looks along x; y is to its left.

/// A place, m.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// Ahead of the start, m.
    pub x_m: f64,
    /// To the left of the start, m.
    pub y_m: f64,
}

/// One straight piece of wall.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Segment {
    /// One end.
    pub from: Point,
    /// The other end.
    pub to: Point,
}

/// Walls and obstacles.
#[derive(Clone, Debug, PartialEq)]
pub struct Room {
    /// All pieces of wall, in no order.
    pub walls: Vec<Segment>,
}

impl Room {
    /// 4 m by 3 m with one box in it. From the start there are 3 m ahead, 1 m behind and 1.5 m to either side.
    #[must_use]
    pub fn small() -> Self {
        let mut walls = Vec::with_capacity(8);
        add_box(&mut walls, (-1.0, -1.5), (3.0, 1.5));
        add_box(&mut walls, (1.6, 0.5), (2.0, 0.9));
        Self { walls }
    }

    /// Distance from `from` along `heading_rad` to the nearest wall, if there is one within `reach_m`.
    #[must_use]
    pub fn ray(&self, from: Point, heading_rad: f64, reach_m: f64) -> Option<f64> {
        let (sin, cos) = heading_rad.sin_cos();
        self.walls
            .iter()
            .filter_map(|wall| hit(from, (cos, sin), wall))
            .filter(|&distance_m| distance_m <= reach_m)
            .min_by(f64::total_cmp)
    }

    /// Distance from `at` to the nearest wall, m; infinite in a room without walls.
    #[must_use]
    pub fn clearance_m(&self, at: Point) -> f64 {
        self.walls.iter().map(|wall| distance(at, nearest(wall, at))).fold(f64::INFINITY, f64::min)
    }

    /// Where a round body that wants to go from `from` to `to` ends, and whether a wall was in its way.
    ///
    /// It slides along walls. The step must be shorter than `radius_m`; `from` must be free.
    pub(crate) fn slide(&self, from: Point, to: Point, radius_m: f64) -> (Point, bool) {
        let mut at = to;
        let mut touched = false;
        // Two walls of a corner push in turn; four rounds settle every corner that is not acute.
        for _ in 0..4 {
            let Some(wall) = self.walls.iter().find(|wall| distance(at, nearest(wall, at)) < radius_m) else {
                return (at, touched);
            };
            touched = true;
            at = pushed_off(at, nearest(wall, at), from, radius_m);
        }
        if self.clearance_m(at) >= radius_m { (at, touched) } else { (from, true) }
    }
}

/// `at`, moved straight away from `contact` until a body of `radius_m` has room (and a hair more, against rounding).
fn pushed_off(at: Point, contact: Point, from: Point, radius_m: f64) -> Point {
    const HAIR_M: f64 = 1e-9;
    let gap_m = distance(at, contact);
    if gap_m < HAIR_M {
        return from;
    }
    let scale = (radius_m + HAIR_M) / gap_m;
    Point {
        x_m: contact.x_m + (at.x_m - contact.x_m) * scale,
        y_m: contact.y_m + (at.y_m - contact.y_m) * scale,
    }
}

fn add_box(walls: &mut Vec<Segment>, (left, bottom): (f64, f64), (right, top): (f64, f64)) {
    let corners = [(left, bottom), (right, bottom), (right, top), (left, top)];
    for (index, &from) in corners.iter().enumerate() {
        let to = corners[(index + 1) % corners.len()];
        walls.push(Segment { from: point(from), to: point(to) });
    }
}

fn point((x_m, y_m): (f64, f64)) -> Point {
    Point { x_m, y_m }
}

pub(crate) fn distance(a: Point, b: Point) -> f64 {
    (a.x_m - b.x_m).hypot(a.y_m - b.y_m)
}

/// The point of `wall` that is closest to `at`.
fn nearest(wall: &Segment, at: Point) -> Point {
    let (dx, dy) = (wall.to.x_m - wall.from.x_m, wall.to.y_m - wall.from.y_m);
    let length2 = dx * dx + dy * dy;
    if length2 == 0.0 {
        return wall.from;
    }
    let share = (((at.x_m - wall.from.x_m) * dx + (at.y_m - wall.from.y_m) * dy) / length2).clamp(0.0, 1.0);
    Point { x_m: wall.from.x_m + share * dx, y_m: wall.from.y_m + share * dy }
}

/// Distance along the ray at which it meets `wall`.
fn hit(from: Point, (cos, sin): (f64, f64), wall: &Segment) -> Option<f64> {
    let (dx, dy) = (wall.to.x_m - wall.from.x_m, wall.to.y_m - wall.from.y_m);
    let cross = cos * dy - sin * dx;
    if cross.abs() < 1e-12 {
        return None;
    }
    let (ox, oy) = (wall.from.x_m - from.x_m, wall.from.y_m - from.y_m);
    let along_ray_m = (ox * dy - oy * dx) / cross;
    let along_wall = (ox * sin - oy * cos) / cross;
    (along_ray_m >= 0.0 && (0.0..=1.0).contains(&along_wall)).then_some(along_ray_m)
}

#[cfg(test)]
mod tests {
    use std::f64::consts::{FRAC_PI_2, PI};

    use super::*;

    fn check_ray(from: (f64, f64), heading_rad: f64, wanted_m: Option<f64>) {
        let found = Room::small().ray(point(from), heading_rad, 3.5);
        assert_eq!(found.map(|m| (m * 1e6).round()), wanted_m.map(|m| m * 1e6), "{from:?} {heading_rad}");
    }

    #[test]
    fn rays_end_at_the_nearest_wall() {
        // A range sensor sees the first thing in front of it, and nothing beyond its reach.
        check_ray((0.0, 0.0), 0.0, Some(3.0));
        check_ray((0.0, 0.0), PI, Some(1.0));
        check_ray((0.0, 0.0), FRAC_PI_2, Some(1.5));
        check_ray((0.0, 0.7), 0.0, Some(1.6));
        check_ray((2.5, 0.7), PI, Some(0.5));
        check_ray((-0.9, 0.0), 0.0, None);
    }

    fn check_slide(from: (f64, f64), to: (f64, f64), wanted: (f64, f64)) {
        let (at, touched) = Room::small().slide(point(from), point(to), 0.12);
        assert!(distance(at, point(wanted)) < 1e-6, "{at:?}");
        assert_eq!(touched, to != wanted);
    }

    #[test]
    fn a_body_slides_along_walls_and_stops_in_corners() {
        // No part of the round body gets into a wall.
        check_slide((0.0, 0.0), (0.05, 0.0), (0.05, 0.0));
        check_slide((2.86, 0.0), (2.91, 0.03), (2.88, 0.03));
        check_slide((2.87, 1.37), (2.92, 1.42), (2.88, 1.38));
    }

    #[test]
    fn no_corner_is_too_narrow() {
        // In a corner so acute that its walls push the body to and fro it stays where it was, outside.
        let (tip, up, down) = (point((1.0, 0.0)), point((0.0, 0.13)), point((0.0, -0.13)));
        let room = Room { walls: vec![Segment { from: up, to: tip }, Segment { from: tip, to: down }] };
        let from = point((0.06, 0.0));
        assert!(room.clearance_m(from) >= 0.12);
        let (at, touched) = room.slide(from, point((0.12, 0.0)), 0.12);
        assert!(touched && room.clearance_m(at) >= 0.12, "{at:?}");
    }
}
