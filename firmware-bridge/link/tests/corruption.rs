//! No damaged frame comes through with altered content.

#[path = "support/corrupt.rs"]
mod corrupt;

#[test]
fn up_to_three_flipped_bits_are_never_accepted() {
    // Every set of one to three flipped bits, delimiters included, in the frames that move and stop the body.
    let (tried, altered) = corrupt::flip_all();
    assert_eq!(altered, 0, "of {tried}");
    assert!(tried > 1_000_000, "only {tried} tried");
}

#[test]
fn worse_damage_is_not_accepted_either() {
    // A million frames of many lengths with flipped bits, bursts, lost and doubled bytes; the seed is fixed.
    assert_eq!(corrupt::damage_sampled(1_000_000, 3), 0);
}
