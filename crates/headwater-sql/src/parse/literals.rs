//! Flink's map constructor: `MAP['a', 1, 'b', 2]` becomes `MAP {'a': 1, 'b': 2}`, which the query
//! parser knows. With one element it is the element of a column called `map`.

use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan};

/// Rewrites the map constructors of a query.
pub(super) fn rewrite_maps(tokens: &mut [TokenWithSpan]) {
    for at in 0..tokens.len() {
        let is_map = matches!(tokens.get(at).map(|t| &t.token), Some(Token::Word(word))
            if word.quote_style.is_none() && word.value.eq_ignore_ascii_case("map"));
        if is_map && tokens.get(at + 1).is_some_and(|t| t.token == Token::LBracket) {
            rewrite_map(tokens, at + 1);
        }
    }
}

/// Rewrites the constructor whose bracket opens at `open`, if it has an even number of elements.
fn rewrite_map(tokens: &mut [TokenWithSpan], open: usize) {
    let mut depth = 0_usize;
    let mut commas = Vec::new();
    for (at, token) in tokens.iter().enumerate().skip(open) {
        match &token.token {
            Token::LParen | Token::LBracket | Token::LBrace => depth += 1,
            Token::RParen | Token::RBracket | Token::RBrace => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    let closes = token.token == Token::RBracket && commas.len() % 2 == 1;
                    if closes {
                        replace(tokens, open, Token::LBrace);
                        replace(tokens, at, Token::RBrace);
                        for comma in commas.into_iter().step_by(2) {
                            replace(tokens, comma, Token::Colon);
                        }
                    }
                    return;
                }
            }
            Token::Comma if depth == 1 => commas.push(at),
            _ => {}
        }
    }
}

fn replace(tokens: &mut [TokenWithSpan], at: usize, token: Token) {
    if let Some(there) = tokens.get_mut(at) {
        there.token = token;
    }
}
