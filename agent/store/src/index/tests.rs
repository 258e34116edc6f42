//! The index beside an oracle that compares everything with everything.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::*;

/// Numbers that look drawn at random, the same in every run.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> f32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 40) as f32 / (1 << 23) as f32 - 1.0
    }

    fn near(&mut self, centre: &Vector, spread: f32) -> Vector {
        unit(centre.map(|number| number + spread * self.next()))
    }
}

fn unit(mut vector: Vector) -> Vector {
    let length = vector.iter().map(|number| number * number).sum::<f32>().sqrt();
    vector.iter_mut().for_each(|number| *number /= length);
    vector
}

fn dot(one: &Vector, other: &Vector) -> f32 {
    one.iter().zip(other).map(|(one, other)| one * other).sum()
}

fn whose(town: &str, user: &str) -> Whose {
    Whose { town: town.to_owned(), user: user.to_owned() }
}

fn row(n: i64, kind: MemoryKind, town: &str, user: &str) -> Row {
    Row { n, kind, town: town.to_owned(), user: user.to_owned(), speaker: None, at_ms: n }
}

/// Everything that was entered and not removed.
#[derive(Default)]
struct Oracle(BTreeMap<i64, (Row, Vector)>);

impl Oracle {
    fn passes(row: &Row, filter: &Filter<'_>) -> bool {
        row.town == filter.whose.town
            && (row.user.is_empty() || row.user == filter.whose.user)
            && filter.kinds.bits() >> Kinds::number(row.kind) & 1 == 1
    }

    /// Cosines of the best, best first.
    fn best(&self, vector: &Vector, filter: &Filter<'_>, wanted: usize) -> Vec<f32> {
        let passing = self.0.values().filter(|(row, _)| Self::passes(row, filter));
        let mut cosines: Vec<f32> = passing.map(|(_, known)| dot(vector, known)).collect();
        cosines.sort_by(|one, other| other.total_cmp(one));
        cosines.truncate(wanted);
        cosines
    }

    /// The same of what the space proposes, each compared exactly, as its caller does. What is deleted or foreign panics.
    fn proposed(&self, space: &Space, vector: &Vector, filter: &Filter<'_>, wanted: usize) -> Vec<f32> {
        let near = space.nearest(&Question::of(vector), filter, &Meant::default(), wanted).unwrap();
        assert!(near.len() <= 2 * wanted + 16);
        let exact = |rough: &Rough| {
            let near = rough.near;
            let (row, known) = self.0.get(&near.n).expect("a row that is there");
            assert!(Self::passes(row, filter), "{row:?} does not pass {filter:?}");
            let exact = dot(vector, known);
            assert!((near.cosine - exact).abs() < 0.01, "{} is not near {exact}", near.cosine);
            exact
        };
        let mut cosines: Vec<f32> = near.iter().map(exact).collect();
        cosines.sort_by(|one, other| other.total_cmp(one));
        cosines.truncate(wanted);
        cosines
    }
}

#[derive(Clone, Debug)]
enum Step {
    Insert { n: i64, kind: usize, owner: usize, cluster: usize, twin: Option<i64> },
    Remove { n: i64 },
    Ask { owner: usize, kinds: Vec<MemoryKind>, cluster: usize, wanted: usize },
}

const OWNERS: [(&str, &str); 4] = [("home", ""), ("home", "owner"), ("home", "guest"), ("other", "owner")];

fn step() -> impl Strategy<Value = Step> {
    let n = || 0_i64..60;
    let insert = (n(), 0_usize..3, 0..OWNERS.len(), 0_usize..5, prop::option::of(n()))
        .prop_map(|(n, kind, owner, cluster, twin)| Step::Insert { n, kind, owner, cluster, twin });
    let kinds = prop::sample::subsequence(Kinds::ALL.to_vec(), 0..=3);
    let ask = (0..OWNERS.len(), kinds, 0_usize..5, 1_usize..12)
        .prop_map(|(owner, kinds, cluster, wanted)| Step::Ask { owner, kinds, cluster, wanted });
    prop_oneof![4 => insert, 2 => n().prop_map(|n| Step::Remove { n }), 2 => ask]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever is entered, replaced, shared and removed: the space finds exactly what comparing everything finds.
    #[test]
    fn finds_what_the_oracle_finds(steps in prop::collection::vec(step(), 1..150)) {
        let (space, mut oracle, mut numbers) = (Space::empty(), Oracle::default(), Numbers(7));
        let clusters: Vec<Vector> = (0..5).map(|_| numbers.near(&[0.1; _], 1.0)).collect();
        for step in steps {
            match step {
                Step::Insert { n, kind, owner, cluster, twin } => {
                    let (town, user) = OWNERS[owner];
                    let row = row(n, Kinds::ALL[kind], town, user);
                    let twin = twin.filter(|twin| *twin != n);
                    let shared = twin.and_then(|twin| oracle.0.get(&twin)).map(|(_, vector)| *vector);
                    let vector = shared.unwrap_or_else(|| numbers.near(&clusters[cluster], 0.3));
                    space.insert(&row, twin, &vector).unwrap();
                    oracle.0.insert(n, (row, vector));
                }
                Step::Remove { n } => {
                    space.remove(n).unwrap();
                    oracle.0.remove(&n);
                }
                Step::Ask { owner, kinds, cluster, wanted } => {
                    let whose = whose(OWNERS[owner].0, OWNERS[owner].1);
                    let filter = Filter { whose: &whose, kinds: Kinds::of(&kinds) };
                    let vector = numbers.near(&clusters[cluster], 0.3);
                    let proposed = oracle.proposed(&space, &vector, &filter, wanted);
                    prop_assert_eq!(proposed, oracle.best(&vector, &filter, wanted));
                }
            }
            prop_assert_eq!(space.len(), oracle.0.len());
        }
    }
}

/// 6,000 rows in clusters around a mean that is not zero, entered one by one: every 300th a fact, every 250th a guest's.
fn many() -> (Space, Oracle, Vec<Vector>) {
    let (space, mut oracle, mut numbers) = (Space::empty(), Oracle::default(), Numbers(11));
    let clusters: Vec<Vector> = (0..200).map(|_| numbers.near(&[0.03; _], 0.08)).collect();
    for n in 0..6_000 {
        let kind = if n % 300 == 0 { MemoryKind::Fact } else { MemoryKind::Turn };
        let user = if n % 250 == 1 { "guest" } else { "owner" };
        let row = row(n, kind, "home", user);
        let vector = numbers.near(&clusters[n as usize % clusters.len()], 0.04);
        space.insert(&row, None, &vector).unwrap();
        oracle.0.insert(n, (row, vector));
    }
    (space, oracle, clusters)
}

fn recall(space: &Space, oracle: &Oracle, clusters: &[Vector], filter: &Filter<'_>, wanted: usize) -> f32 {
    let mut numbers = Numbers(13);
    let (mut found, mut all) = (0, 0);
    for cluster in clusters.iter().step_by(clusters.len().div_ceil(30)) {
        let vector = numbers.near(cluster, 0.04);
        let best = oracle.best(&vector, filter, wanted);
        let proposed = oracle.proposed(space, &vector, filter, wanted);
        assert_eq!(proposed.len(), best.len());
        all += best.len();
        found += proposed.iter().filter(|cosine| **cosine >= best[best.len() - 1]).count();
    }
    found as f32 / all as f32
}

#[test]
fn finds_the_nearest_of_many_by_their_codes() {
    // More rows than are all compared, and most of them do not pass: what is found is what comparing everything finds.
    let (space, mut oracle, clusters) = many();
    let owner = whose("home", "owner");
    let filter = Filter { whose: &owner, kinds: Kinds::of(&[]) };
    assert!(recall(&space, &oracle, &clusters, &filter, 10) >= 0.99);

    for n in (0..6_000).filter(|n| n / 200 % 4 == 0) {
        space.remove(n).unwrap();
        oracle.0.remove(&n);
    }
    assert!(recall(&space, &oracle, &clusters, &filter, 10) >= 0.99);
}

#[test]
fn finds_the_nearest_of_many_that_are_zero_almost_everywhere() {
    // As counting words makes them: 30 of 384 numbers, shared by those that are near.
    let (space, mut oracle, mut numbers) = (Space::empty(), Oracle::default(), Numbers(23));
    let mut place = || ((numbers.next() + 1.0) * 192.0) as usize % DIMENSIONS;
    let themes: Vec<[usize; 10]> = (0..300).map(|_| std::array::from_fn(|_| place())).collect();
    let mut said = |theme: usize| {
        let mut vector = [0.0; DIMENSIONS];
        themes[theme % themes.len()].iter().for_each(|place| vector[*place] += 1.0);
        (0..20).for_each(|_| vector[place()] -= 1.0);
        unit(vector)
    };
    for n in 0..6_000 {
        let (row, vector) = (row(n, MemoryKind::Turn, "home", "owner"), said(n as usize));
        space.insert(&row, None, &vector).unwrap();
        oracle.0.insert(n, (row, vector));
    }
    let owner = whose("home", "owner");
    let filter = Filter { whose: &owner, kinds: Kinds::of(&[]) };
    let mut found = 0;
    for theme in 0..60 {
        let vector = said(theme);
        let best = oracle.best(&vector, &filter, 10);
        let proposed = oracle.proposed(&space, &vector, &filter, 10);
        found += proposed.iter().filter(|cosine| **cosine >= best[9]).count();
    }
    assert!(found >= 594, "{found} of 600");
}

#[test]
fn a_rare_kind_and_a_rare_owner_get_their_best_exactly() {
    let (space, oracle, clusters) = many();
    let (owner, guest) = (whose("home", "owner"), whose("home", "guest"));
    let facts = Filter { whose: &owner, kinds: Kinds::of(&[MemoryKind::Fact]) };
    assert!((recall(&space, &oracle, &clusters, &facts, 10) - 1.0).abs() < f32::EPSILON);
    let theirs = Filter { whose: &guest, kinds: Kinds::of(&[]) };
    assert!((recall(&space, &oracle, &clusters, &theirs, 20) - 1.0).abs() < f32::EPSILON);
}

#[test]
fn what_is_meant_is_found_among_many_that_are_nearer() {
    let (space, oracle, clusters) = many();
    let owner = whose("home", "owner");
    let filter = Filter { whose: &owner, kinds: Kinds::of(&[]) };
    let mut numbers = Numbers(29);
    // Few, which are all compared, and more than that, which are found by their codes.
    for span in [Span { from_ms: 1_000, to_ms: 1_100 }, Span { from_ms: 500, to_ms: 5_600 }] {
        let meant = Meant::of(Some(span), &[]);
        let (mut hits, mut all) = (0, 0);
        for cluster in clusters.iter().step_by(10) {
            let vector = numbers.near(cluster, 0.04);
            let passing =
                oracle.0.values().filter(|(row, _)| span.contains(row.at_ms) && row.user == "owner");
            let mut best: Vec<f32> = passing.map(|(_, known)| dot(&vector, known)).collect();
            best.sort_by(|one, other| other.total_cmp(one));
            let near = space.nearest(&Question::of(&vector), &filter, &meant, 10).unwrap();
            assert!(near.iter().all(|rough| span.contains(oracle.0[&rough.near.n].0.at_ms)));
            let exact = |rough: &Rough| dot(&vector, &oracle.0[&rough.near.n].1);
            hits += near.iter().filter(|rough| exact(rough) >= best[9]).count();
            all += 10;
        }
        assert!(hits * 100 >= all * 99, "{hits} of {all}");
    }
    let nobody = Meant::of(None, &["Anna".to_owned()]);
    assert!(space.nearest(&Question::of(&clusters[0]), &filter, &nobody, 10).unwrap().is_empty());
}

#[test]
fn the_same_text_a_thousand_times_hides_nothing_better() {
    // Thousands of rows tie; the few that are nearer are found all the same.
    let (space, mut numbers) = (Space::empty(), Numbers(17));
    let ok = numbers.near(&[0.1; _], 1.0);
    let better = numbers.near(&ok, 0.02);
    for n in 0..6_000 {
        space.insert(&row(n, MemoryKind::Turn, "home", "owner"), (n > 0).then_some(0), &ok).unwrap();
    }
    space.insert(&row(6_000, MemoryKind::Turn, "home", "owner"), None, &better).unwrap();
    let whose = whose("home", "owner");
    let filter = Filter { whose: &whose, kinds: Kinds::of(&[]) };
    let near = space.nearest(&Question::of(&better), &filter, &Meant::default(), 5).unwrap();
    assert_eq!(near[0].near.n, 6_000);
    assert!(near.len() >= 5);
}

#[test]
fn a_model_with_too_many_rows_loses_its_space_and_keeps_the_count() {
    let index = Index::new(2);
    let model = ModelId(1);
    let place = |n| Change::Placed {
        model,
        row: row(n, MemoryKind::Note, "home", ""),
        twin: None,
        vector: Box::new(unit([0.5; _])),
    };
    index.apply(vec![Change::ModelAdded { model }, Change::Written, place(1), Change::Written, place(2)]);
    assert_eq!(index.space(model).map(|space| space.len()), Some(2));
    index.apply(vec![Change::Written, place(3)]);
    assert!(index.space(model).is_none(), "the database is searched instead");
    index.apply(vec![Change::Removed { n: 1 }, Change::Written, place(4)]);
    assert!(index.space(model).is_none(), "a space with a gap never comes back by itself");
    assert_eq!(index.rows(), 3);
}

#[test]
fn two_models_stand_side_by_side_and_a_third_has_no_space() {
    let index = Index::new(10);
    index.apply((1..=3).map(|model| Change::ModelAdded { model: ModelId(model) }).collect());
    assert!(index.space(ModelId(1)).is_some() && index.space(ModelId(2)).is_some());
    assert!(index.space(ModelId(3)).is_none());
    index.apply(vec![Change::ModelRemoved { model: ModelId(1) }, Change::ModelAdded { model: ModelId(4) }]);
    assert!(index.space(ModelId(1)).is_none() && index.space(ModelId(4)).is_some());
}

#[test]
fn a_vector_without_a_direction_is_near_to_nothing() {
    let space = Space::empty();
    space.insert(&row(1, MemoryKind::Note, "home", ""), None, &[0.0; _]).unwrap();
    let cosines = space.cosines(&Question::of(&unit([0.5; _])), &[1, 2]).unwrap();
    assert_eq!(cosines, [Some(0.0), None]);
    let near = space.cosines(&Question::of(&[0.0; _]), &[1]).unwrap();
    assert_eq!(near, [Some(0.0)]);
}

#[test]
fn questions_go_on_while_rows_are_entered_and_removed() {
    // Readers beside the writer: rows that stay are always found, through growth, removal and a new centre.
    let (space, mut numbers) = (Space::empty(), Numbers(19));
    let wanted = numbers.near(&[0.1; _], 1.0);
    space.insert(&row(-1, MemoryKind::Note, "home", ""), None, &wanted).unwrap();
    let done = AtomicBool::new(false);
    let deadline = Instant::now() + Duration::from_secs(60);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let whose = whose("home", "owner");
                let filter = Filter { whose: &whose, kinds: Kinds::of(&[]) };
                let question = Question::of(&wanted);
                while !done.load(Ordering::Relaxed) && Instant::now() < deadline {
                    assert_eq!(
                        space.nearest(&question, &filter, &Meant::default(), 3).unwrap()[0].near.n,
                        -1
                    );
                }
            });
        }
        for n in 0..5_500 {
            let vector = numbers.near(&[0.1; _], 1.0);
            space.insert(&row(n, MemoryKind::Note, "home", ""), None, &vector).unwrap();
            if n % 6 == 0 {
                space.remove(n / 2).unwrap();
            }
        }
        done.store(true, Ordering::Relaxed);
    });
}
