//! How one tells that people play together, or asks for a game.

use super::Doer::{Anybody, Together};
use super::Slot::{Any, End, Is, Last, Maybe, Name, Start};
use super::creative::ELSEWHERE;
use super::{Cue, Words, ahead};

const GAME: Words = "backgammon ball battleship battleships bingo cards catch charades checkers \
    chess detective detectives dice dominoes draughts fetch game games hangman \
    hide jenga lego ludo memory monopoly peekaboo pictionary pirates poker quiz \
    riddles rummy scrabble simon spy tag tic trivia uno dare scissors questions \
    hopscotch knights shop bass cello drums flute guitar piano saxophone trumpet \
    ukulele violin accordion harmonica pretend something badminton basketball \
    dress football frisbee marbles soccer volleyball hockey around bridge \
    canasta catan connect darts dominos dungeons freeze go kart kazoo mario \
    mastermind mikado minecraft music ping pingpong pong pool race reversi \
    rounds sardines skat snap snooker solitaire table tennis trumps wordle \
    yahtzee duet jazz blues sonata horn keyboard mandolin banjo recorder synth";
const PLAY: Words = "play played playing";
/// Games that are nothing else.
const GAMES: Words = "backgammon battleships bingo charades checkers chess dominoes draughts \
    hangman hopscotch jenga ludo monopoly peekaboo pictionary poker rummy \
    scrabble tictactoe trivia uno karaoke improv yahtzee canasta mastermind \
    wordle";
const PLAYED: &str = "that we play";

pub(super) const CUES: &[Cue] = &[
    ahead(
        Together,
        PLAYED,
        &[
            Is("game go match play rematch round best another fancy want up ready challenge \
    beat again"),
            Any(4),
            Is(GAMES),
        ],
        "on tv",
    ),
    ahead(
        Together,
        PLAYED,
        &[
            Is(GAMES),
            Maybe("with me anyone again you"),
            Is("again anyone battle challenge club evening game match me night now rematch \
    round time together tonight"),
        ],
        "on tv",
    ),
    ahead(Anybody, PLAYED, &[Start, Maybe("a another more one quick some time for"), Is(GAMES), End], ""),
    ahead(
        Anybody,
        PLAYED,
        &[
            Start,
            Maybe("a another one"),
            Is("dance rap guessing drawing pillow word memory board card party"),
            Is("battle game games off contest"),
        ],
        "",
    ),
    ahead(Anybody, PLAYED, &[Start, Is("knock"), Is("knock"), Last], ""),
    ahead(
        Together,
        PLAYED,
        &[
            Is("race challenge beat quiz test fool"),
            Is("me us you"),
            Any(1),
            Is("at in on to in again around"),
        ],
        "time late bus school down",
    ),
    ahead(Anybody, PLAYED, &[Is("race"), Is("me you us")], ""),
    ahead(
        Anybody,
        PLAYED,
        &[Is("your my"), Is("go move turn guess"), Maybe("now again next robbie"), End],
        "to",
    ),
    ahead(
        Anybody,
        PLAYED,
        &[Is("guessing word board card memory drinking party role"), Is("game games")],
        "on tv",
    ),
    ahead(
        Anybody,
        PLAYED,
        &[Is("pretend imagine"), Maybe("that now"), Is("you we i"), Is("are am is have were")],
        "not nothing nobody a happy fine rich had hundred million",
    ),
    ahead(Anybody, PLAYED, &[Is("pretend"), Maybe("to that"), Is("be you we")], "not nothing"),
    ahead(Anybody, PLAYED, &[Is("checkmate touche")], ""),
    ahead(
        Together,
        PLAYED,
        &[Is("do doing imitate"), Any(3), Is("accent imitation impression impersonation voice")],
        "",
    ),
    ahead(Anybody, PLAYED, &[Start, Is("you"), Is("be"), Is("a an the my")], "boss judge owner"),
    ahead(
        Together,
        PLAYED,
        &[
            Is("guess"),
            Any(2),
            Is("animal number word song colour color country city thing tune movie melody \
    card person"),
        ],
        "",
    ),
    ahead(
        Together,
        PLAYED,
        &[
            Is("do did solve make made"),
            Any(2),
            Is("crossword improv jigsaw karaoke magic pantomime puzzle quiz"),
        ],
        "",
    ),
    ahead(Together, PLAYED, &[Is(PLAY), Any(4), Is(GAME)], ELSEWHERE),
    ahead(Together, PLAYED, &[Is(PLAY), Any(1), Is("against with"), Is("me robbie us you")], ELSEWHERE),
    ahead(Together, PLAYED, &[Is("us to"), Is("play"), End], ELSEWHERE),
    ahead(
        Together,
        PLAYED,
        &[Is("us to"), Is("play"), Maybe("together again now later one more some"), End],
        ELSEWHERE,
    ),
    ahead(Together, PLAYED, &[Is(PLAY), Any(1), Name], ELSEWHERE),
    ahead(Anybody, PLAYED, &[Is("twenty 20"), Is("questions")], "about"),
    ahead(
        Anybody,
        PLAYED,
        &[
            Is("thinking"),
            Is("of"),
            Is("a an"),
            Is("animal city colour color country number person thing word"),
        ],
        "",
    ),
    ahead(Anybody, PLAYED, &[Is("your my"), Is("move turn"), End], "to"),
    ahead(Anybody, PLAYED, &[Start, Any(3), Is("tic"), Is("tac")], ""),
    ahead(Anybody, PLAYED, &[Is("rock"), Is("paper")], ""),
    ahead(Anybody, PLAYED, &[Is("truth"), Is("or"), Is("dare")], ""),
    ahead(Anybody, PLAYED, &[Is("i"), Is("spy")], "on"),
    ahead(Anybody, PLAYED, &[Is("hide"), Is("and"), Is("seek")], ""),
    ahead(Together, PLAYED, &[Is("game round"), Is("of"), Is(GAME)], ELSEWHERE),
];
