//! Tests of folding and sorting words.

use super::*;
use proptest::prelude::*;

#[test]
fn words_are_found_however_they_are_written() {
    for (one, other) in [
        ("cafe", "Café"),
        ("cafe", "CAFE\u{301}"),
        ("muller", "Müller"),
        ("men's", "Men’s"),
        ("mens", "men`s"),
        ("テスト", "ﾃｽﾄ"),
        ("ガ", "ｶﾞ"),
        ("strassenschuh", "Straßenschuh"),
        ("STRASSE", "straẞe"),
        ("smorrebrod", "Smørrebrød"),
        ("lodz", "Łódź"),
        ("istanbul", "İstanbul"),
        ("σοφοσ", "ΣΟΦΌΣ"),
        ("елка", "Ёлка"),
        ("t-shirt", "T‑Shirt"),
        ("iphone 12", "ｉＰｈｏｎｅ\u{a0}１２"),
        ("oeuvre", "œuvre"),
        ("42", "４２"),
        ("한국", "한국"),
        ("كتاب", "كِتَاب"),
        ("احمد", "أحمد"),
        ("كتــاب", "كتاب"),
        ("שלום", "שָׁלוֹם"),
        ("צ'יפס", "צ׳יפס"),
        ("μαιος", "ΜΆΪΟΣ"),
        ("diyarbakir", "DİYARBAKIR"),
        ("diyarbakir", "Diyarbakır"),
        ("office", "oﬃce"),
        ("aether", "Æther"),
        ("đa lat", "Đà Lạt"),
        ("ijs", "Ĳs"),
    ] {
        assert_eq!(folded(one), folded(other), "{one} {other}");
    }
    assert_ne!(folded("カ"), folded("ガ"));
    assert_ne!(folded("किताब"), folded("कताब"));
}

#[test]
fn numbers_in_titles_are_put_in_order_by_what_they_count() {
    let sorted = [
        "Ale 0",
        "Ale 1.5",
        "Ale 1.10",
        "Ale 007",
        "Ale 10",
        "Ale 123456789",
        "Ale 1234567890",
        "Ale 12345678901234567890",
        "Ale A",
        "cafe",
        "Cafe",
        "café",
        "Café",
        "iPhone 9",
        "iPhone 17",
        "iPhone 17 Pro",
        "iPhone SE",
    ];
    let mut titles = sorted;
    titles.reverse();
    titles.sort_by_cached_key(|title| place_in_alphabet(title));
    assert_eq!(titles, sorted);
}

#[test]
fn letters_with_marks_stand_beside_those_without() {
    let mut titles = [
        "Zebra", "Äpfel", "apfel", "Öl", "Ofen", "éclair", "Eber", "Apfel",
    ];
    titles.sort_by_cached_key(|title| place_in_alphabet(title));
    assert_eq!(
        titles,
        [
            "apfel", "Apfel", "Äpfel", "Eber", "éclair", "Ofen", "Öl", "Zebra"
        ]
    );
}

#[test]
fn a_search_finds_what_is_meant() {
    let said = |text: &str| Said::of(text.split('|'));
    for (search, text) in [
        ("tshirt", "T-Shirt"),
        ("t-shirt", "T-Shirt"),
        ("t shirt", "T‑Shirt"),
        ("T-Shirt", "Tshirt"),
        ("t–shirt", "T Shirt"),
        ("mueller", "Müller"),
        ("Müller", "Mueller GmbH"),
        ("muller", "Mu\u{308}ller"),
        ("smoerrebroed", "Smørrebrød"),
        ("strassenschuh", "Straßenschuh"),
        ("STRASSENSCHUH grün", "Straßenschuh|Gruen"),
        ("mens shirt", "Men’s|T-Shirt"),
        ("men's", "Mens"),
        ("ﾃｽﾄ", "テスト"),
        ("\"cafe\"", "Café"),
        ("jalapeno salsa", "Salsa|Jalapeño"),
        ("хлеб", "ХЛЕБ"),
        ("らーめん", "ラーメン"),
        ("ひらがな", "ヒラガナ"),
        ("がっこう", "ｶﾞｯｺｳ"),
        ("ヴァイオリン", "ゔぁいおりん"),
        ("いすゞ", "イスヾ"),
        ("كتــاب", "کتاب"),
        ("على", "علی"),
        ("قهوة", "قهوه"),
        ("ｺｰﾋｰ", "こーひー"),
        ("サーバー", "サーバ"),
        ("サーバ", "サーバー"),
        ("ｺﾝﾋﾟｭｰﾀｰ", "コンピュータ"),
        ("kaese", "Käse"),
        ("GRUEN", "grün"),
        ("aarhus", "Århus"),
        ("", "anything"),
    ] {
        assert!(
            SearchText::read(search).finds(&said(text), [].into_iter()),
            "{search} {text}"
        );
    }
    for (search, text) in [
        ("shirts", "T-Shirt"),
        ("blau", "blue"),
        ("blue", "blu"),
        ("tea pot", "Teapan"),
        ("カ", "ガ"),
        ("ビール", "ビル"),
        ("キー", "キャップ"),
    ] {
        assert!(
            !SearchText::read(search).finds(&said(text), [].into_iter()),
            "{search} {text}"
        );
    }
}

#[test]
fn a_code_finds_its_thing() {
    let said = Said::of(["Desk lamp"].into_iter());
    let codes = ["LAMP-1", "4006381333931", "0036000291452"];
    let finds = |text: &str| SearchText::read(text).finds(&said, codes.into_iter());
    for text in [
        "4006381333931",
        "4 006381 333931",
        "4006381-333931",
        "４００６３８１３３３９３１",
        "'4006381333931",
        "036000291452",
        "lamp-1",
        "LAMP1",
        "desk 4006381333931",
        "LAMP\u{2011}1\u{200b}",
    ] {
        assert!(finds(text), "{text}");
    }
    for code in [
        "LAMP-1",
        "4006381333931",
        "0036000291452",
        "00-7",
        "Ö-1",
        "０７",
    ] {
        for wanted in ["LAMP-1", "36000291452", "7", "ö1", "007"].map(code_of) {
            assert_eq!(
                is_code(code, &wanted),
                code_of(code) == wanted,
                "{code} {wanted}"
            );
        }
    }
    for text in ["400638133393", "4006381333932", "lamp-2", "1"] {
        assert!(!finds(text), "{text}");
    }
}

#[test]
fn letters_of_europe_are_folded_as_the_platform_does() {
    for letter in ('\0'..='\u{24f}')
        .chain('\u{2000}'..='\u{203f}')
        .filter(|it| is_of_europe(*it))
    {
        for text in [
            format!("a{letter}b"),
            format!("{letter} {letter}"),
            letter.to_string(),
        ] {
            assert_eq!(
                folded_by_letter(&text),
                twice_by_platform(&text),
                "{text:?}"
            );
        }
    }
    assert!(
        "Straße, Łódź, Čeština, Ærø, ‘Œuvre’"
            .chars()
            .all(is_of_europe)
    );
}

fn twice_by_platform(text: &str) -> String {
    folded_by_platform(&folded_by_platform(text))
}

proptest! {
    #[test]
    fn texts_of_europe_are_folded_as_the_platform_does(text in "[ -~À-ž\u{a0}–’“”]{0,16}") {
        if text.chars().all(is_of_europe) {
            prop_assert_eq!(folded_by_letter(&text), twice_by_platform(&text));
        }
    }

    #[test]
    fn what_is_said_is_found(words in prop::collection::vec("[A-Za-zÀ-ž0-9'’-]{1,8}", 1..5), wanted in 0..4_usize) {
        let said = Said::of(words.iter().map(String::as_str));
        let word = &words[wanted % words.len()];
        prop_assert!(SearchText::read(word).finds(&said, [].into_iter()));
        prop_assert!(SearchText::read(&folded(word)).finds(&said, [].into_iter()));
        prop_assert!(SearchText::read(&word.to_uppercase()).finds(&said, [].into_iter()));
    }
}
