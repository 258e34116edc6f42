//! What a person or a program notices of the chain of language models, over real HTTP and scripted models that answer, wait,
//! break and misbehave on command.

mod body;
mod cached;
mod calls;
mod client;
mod document;
mod floods;
mod injections;
mod leaving;
mod openai;
mod refusals;
mod rig;
mod script;
mod talk;
mod time;
