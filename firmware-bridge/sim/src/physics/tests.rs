use proptest::prelude::*;

use super::*;

const RADIUS_M: f64 = 0.12_f32 as f64;
const STEP_US: u64 = 5_000;
const LAG_MS: u64 = 50;

fn world(seed: u64) -> World {
    World::new(&BodyProfile::default(), Room::small(), seed)
}

fn driven(left_mps: f32, right_mps: f32) -> Outputs {
    Outputs {
        enabled: true,
        left_mps,
        right_mps,
        brake: false,
        pan_rad: 0.0,
        tilt_rad: 0.0,
        rgb: [0; 3],
        brightness: 0,
    }
}

/// Steps for `ms` and returns what was measured last.
fn run(world: &mut World, ms: u64, outputs: &Outputs) -> Inputs {
    let mut last = world.step(0, outputs);
    for _ in 0..ms * 1000 / STEP_US {
        last = world.step(STEP_US, outputs);
    }
    last
}

/// Orders as a controller gives them: goals that are reached on ramps of `rate_mps2`.
fn ramp_towards(order_mps: &mut f32, goal_mps: f32, rate_mps2: f32) {
    let step_mps = rate_mps2 * STEP_US as f32 * 1e-6;
    *order_mps += (goal_mps - *order_mps).clamp(-step_mps, step_mps);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]

    #[test]
    fn no_body_ever_gets_into_a_wall(
        seed: u64, legs in prop::collection::vec((-0.8_f32..=0.8, -0.8_f32..=0.8, 1_u64..60), 1..40),
    ) {
        // However it is driven, and even without any ramp, the whole round body stays in the free space of its room.
        let mut world = world(seed);
        for (left_mps, right_mps, steps) in legs {
            for _ in 0..steps {
                let before = world.pose().at;
                world.step(20_000, &driven(left_mps, right_mps));
                let after = world.pose().at;
                prop_assert!(world.room().clearance_m(after) >= RADIUS_M);
                prop_assert!((-1.0..3.0).contains(&after.x_m) && (-1.5..1.5).contains(&after.y_m));
                prop_assert!(crate::room::distance(before, after) <= 0.8 * 0.02 + 1e-6);
            }
        }
    }

    #[test]
    fn a_wheel_never_accelerates_harder_than_the_ramp_it_follows(
        seed: u64, goals in prop::collection::vec((-0.8_f32..=0.8, -0.8_f32..=0.8), 1..20), rate_mps2 in 0.1_f32..3.0,
    ) {
        // The limits of acceleration that the controller keeps hold for the wheels too, and so does the top speed.
        let mut world = world(seed);
        let (mut left_mps, mut right_mps) = (0.0, 0.0);
        for (left_goal, right_goal) in goals {
            for _ in 0..50 {
                ramp_towards(&mut left_mps, left_goal, rate_mps2);
                ramp_towards(&mut right_mps, right_goal, rate_mps2);
                let before = world.wheels_mps();
                world.step(STEP_US, &driven(left_mps, right_mps));
                let after = world.wheels_mps();
                let most_mps = f64::from(rate_mps2) * STEP_US as f64 * 1e-6 + 1e-4;
                prop_assert!((after.0 - before.0).abs() <= most_mps && (after.1 - before.1).abs() <= most_mps);
                prop_assert!(after.0.abs() <= 0.8 + 1e-6 && after.1.abs() <= 0.8 + 1e-6);
            }
        }
    }

    #[test]
    fn encoders_count_the_way_of_the_wheels(
        seed: u64, speeds in prop::collection::vec((0.0_f32..=0.8, -0.8_f32..=0.0), 1..20),
    ) {
        // Counts never go against the motion, and are never more than one tick from the true way.
        let mut world = world(seed);
        let (mut left_m, mut right_m) = (0.0, 0.0);
        let mut last = (0, 0);
        for (left_mps, right_mps) in speeds {
            for _ in 0..20 {
                let before = world.wheels_mps();
                let inputs = world.step(STEP_US, &driven(left_mps, right_mps));
                let after = world.wheels_mps();
                left_m += (before.0 + after.0) / 2.0 * STEP_US as f64 * 1e-6;
                right_m += (before.1 + after.1) / 2.0 * STEP_US as f64 * 1e-6;
                prop_assert!(inputs.left_um >= last.0 && inputs.right_um <= last.1);
                prop_assert!((inputs.left_um as f64 - left_m * 1e6).abs() <= 51.0);
                prop_assert!((inputs.right_um as f64 - right_m * 1e6).abs() <= 51.0);
                last = (inputs.left_um, inputs.right_um);
            }
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_world(seed: u64, left_mps in -0.8_f32..0.8, right_mps in -0.8_f32..0.8) {
        // A failing seed can be replayed: everything measured is the same again, and another seed differs.
        let (mut one, mut same, mut other) = (world(seed), world(seed), world(seed ^ 1));
        let mut differs = false;
        for _ in 0..100 {
            let inputs = one.step(STEP_US, &driven(left_mps, right_mps));
            prop_assert_eq!(inputs, same.step(STEP_US, &driven(left_mps, right_mps)));
            differs |= inputs != other.step(STEP_US, &driven(left_mps, right_mps));
        }
        prop_assert!(differs);
        prop_assert_eq!(one.pose(), same.pose());
    }
}

#[test]
fn stops_within_one_motor_lag_after_the_ramp() {
    // The safety budget counts one motor lag after the emergency ramp: then the wheels stand, from any speed.
    for full_mps in [0.1_f32, 0.3, 0.6, 0.8] {
        let mut world = world(1);
        let mut order_mps = full_mps;
        run(&mut world, 1000, &driven(order_mps, order_mps));
        while order_mps > 0.0 {
            ramp_towards(&mut order_mps, 0.0, 3.0);
            world.step(STEP_US, &driven(order_mps, order_mps));
        }
        run(&mut world, LAG_MS, &Outputs { brake: true, ..driven(0.0, 0.0) });
        assert!(world.wheels_mps().0 < 0.01, "{full_mps}: {:?}", world.wheels_mps());
    }
}

#[test]
fn a_wheel_follows_its_order_with_the_lag_of_its_motor() {
    // After one time constant 63 % of a jump are done, after five nearly all.
    let mut world = world(1);
    run(&mut world, LAG_MS, &driven(0.4, -0.4));
    assert!(
        (world.wheels_mps().0 / 0.4 - 0.632).abs() < 0.01
            && (world.wheels_mps().1 / 0.4 + 0.632).abs() < 0.01
    );
    run(&mut world, 4 * LAG_MS, &driven(0.4, -0.4));
    assert!((world.wheels_mps().0 - 0.4).abs() < 0.004);
}

#[test]
fn rolls_out_within_the_coasting_time() {
    // Without power the body still stops, in the time its profile names.
    let mut world = world(1);
    run(&mut world, 1000, &driven(0.8, 0.8));
    let unpowered = Outputs { enabled: false, ..driven(0.0, 0.0) };
    run(&mut world, 400, &unpowered);
    assert!(world.wheels_mps().0 > 0.1);
    run(&mut world, 100, &unpowered);
    assert_eq!(world.wheels_mps(), (0.0, 0.0));
    assert!(world.at_rest());
}

#[test]
fn drives_where_the_wheels_point() {
    // Forward is along x, a positive turn is to the left, the gyroscope agrees, and slip is small.
    let mut ahead = world(7);
    run(&mut ahead, 2000, &driven(0.5, 0.5));
    assert!((0.93..0.98).contains(&ahead.pose().at.x_m), "{:?}", ahead.pose());
    assert!(ahead.pose().at.y_m.abs() < 0.05);
    let mut turning = world(7);
    let inputs = run(&mut turning, 1000, &driven(-0.1, 0.1));
    assert!((0.9..1.0).contains(&turning.pose().heading_rad), "{:?}", turning.pose());
    assert!((0.95..1.05).contains(&inputs.gyro_radps), "{}", inputs.gyro_radps);
}

#[test]
fn range_sensors_see_walls_and_grow_old_when_dead() {
    // Readings follow the distance to the wall, are at most 45 ms old, and a dead sensor shows its age.
    let mut world = world(3);
    let inputs = run(&mut world, 200, &driven(0.0, 0.0));
    assert_eq!(inputs.ranges[0].mm, u16::MAX, "nothing within reach ahead");
    assert!((870..890).contains(&inputs.ranges[1].mm), "{:?}", inputs.ranges);
    assert!(inputs.ranges[1].age_ms <= 45);
    assert_eq!(inputs.ranges[2].age_ms, u16::MAX, "no such sensor");
    let inputs = run(&mut world, 3000, &driven(0.6, 0.6));
    let ahead_mm = (3.0 - RADIUS_M - world.pose().at.x_m) * 1e3;
    assert!((f64::from(inputs.ranges[0].mm) - ahead_mm).abs() < 50.0, "{:?} {ahead_mm}", inputs.ranges);
    world.defects.kill_range(RangeSide::Front);
    let inputs = run(&mut world, 1000, &driven(0.0, 0.0));
    assert!((1000..1045).contains(&inputs.ranges[0].age_ms));
    assert!(inputs.ranges[1].age_ms <= 45);
    world.defects = Defects::default();
    assert!(run(&mut world, 100, &driven(0.0, 0.0)).ranges[0].age_ms <= 45);
}

#[test]
fn a_stuck_encoder_does_not_count_and_does_not_catch_up() {
    // What the encoder missed stays missed; the other side goes on.
    let mut world = world(3);
    let before = run(&mut world, 500, &driven(0.3, 0.3));
    world.defects.stick_encoder(Wheel::Left);
    let stuck = run(&mut world, 500, &driven(0.3, 0.3));
    assert_eq!(stuck.left_um, before.left_um);
    assert!(stuck.right_um > before.right_um + 100_000);
    world.defects = Defects::default();
    let after = run(&mut world, 500, &driven(0.3, 0.3));
    assert!(
        (100_000..200_000).contains(&(after.left_um - before.left_um)),
        "{}",
        after.left_um - before.left_um
    );
}

#[test]
fn the_battery_sags_under_load_and_recovers() {
    // Driving pulls the voltage down; an hour of it costs charge.
    let mut world = world(3);
    let rest_mv = run(&mut world, 100, &driven(0.0, 0.0)).battery_mv;
    let driving_mv = run(&mut world, 2000, &driven(0.8, -0.8)).battery_mv;
    assert!(driving_mv + 50 < rest_mv, "{driving_mv} {rest_mv}");
    let after_mv = run(&mut world, 2000, &driven(0.0, 0.0)).battery_mv;
    assert!(after_mv > driving_mv + 50 && after_mv <= rest_mv);
    let full = run(&mut world, 100, &driven(0.0, 0.0)).battery_percent;
    world.step(3_600_000_000, &driven(0.8, -0.8));
    let empty = run(&mut world, 100, &driven(0.0, 0.0)).battery_percent;
    assert!((5..15).contains(&(full - empty)), "{full} {empty}");
}

#[test]
fn the_head_turns_at_the_speed_of_its_servos() {
    // It takes its time, stays within its limits, and holds still without power.
    let mut world = world(3);
    let look = Outputs { pan_rad: 0.9, tilt_rad: -5.0, ..driven(0.0, 0.0) };
    assert!((0.25..0.35).contains(&run(&mut world, 100, &look).pan_rad));
    assert!(!world.at_rest());
    let inputs = run(&mut world, 400, &look);
    assert_eq!((inputs.pan_rad, inputs.tilt_rad), (0.9, -0.6));
    let unpowered = Outputs { enabled: false, pan_rad: -1.0, ..look };
    assert_eq!(run(&mut world, 500, &unpowered).pan_rad, 0.9);
    assert!(world.at_rest());
}
