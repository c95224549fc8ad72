"use strict";

// Written by threads/lib/folding_js.py. Folds text as the search index does: see threads/lib/folding.py.
const folding = (() => {
  const DROPPED = /[\u{ad}\u{34f}\u{61c}\u{115f}\u{1160}\u{17b4}\u{17b5}\u{180b}-\u{180f}\u{200b}-\u{200f}\u{202a}-\u{202e}\u{2060}-\u{206f}\u{3164}\u{fe00}-\u{fe0f}\u{feff}\u{ffa0}\u{fff0}-\u{fff8}\u{1bca0}-\u{1bca3}\u{1d173}-\u{1d17a}\u{e0000}-\u{e0fff}\u{1f3fb}-\u{1f3ff}\u{300}-\u{344}\u{346}-\u{36f}\u{1ab0}-\u{1aff}\u{1dc0}-\u{1dff}\u{20d0}-\u{20ff}\u{fe20}-\u{fe2f}\u{591}-\u{5bd}\u{5bf}\u{5c1}\u{5c2}\u{5c4}\u{5c5}\u{5c7}\u{610}-\u{61a}\u{64b}-\u{65f}\u{670}\u{6d6}-\u{6dc}\u{6df}-\u{6e4}\u{6e7}\u{6e8}\u{6ea}-\u{6ed}\u{898}-\u{89f}\u{8ca}-\u{8e1}\u{8e3}-\u{8ff}\u{640}]/gu;
  const CONTINUES = /^(?:\p{M}|[\u1160-\u11ff\ud7b0-\ud7fb])/u;

  // Characters that become others than their small letters, each with those.
  const OTHERS = new Map(
    "Æae Ðd Øo Þth ßss æae ðd øo þth Đd đd Ħh ħh ıi ĸq Łl łl Ŋn ŋn Ŧt ŧt ƀb Ɓb Ƃb ƃb Ƈc ƈc Ɖd Ɗd Ƌd ƌd Ƒf ƒf Ɠg Ɨi Ƙk ƙk ƚl Ɲn ƞn Ƥp ƥp ƫt Ƭt ƭt Ʈt Ʋv Ƴy ƴy Ƶz ƶz Ǥg ǥg Ƞn ȡd Ȥz ȥz ȴl ȵn ȶt ȷj Ⱥa Ȼc ȼc Ƚl Ⱦt ȿs ɀz Ƀb Ɇe ɇe Ɉj ɉj Ɋq ɋq Ɍr ɍr Ɏy ɏy ɓb ɕc ɖd ɗd ɠg ɦh ɨi ɫl ɬl ɭl ɱm ɲn ɳn ɼr ɽr ɾr ʂs ʈt ʋv ʐz ʑz ʝj ʠq ͅι ςσ ةه ىي ٠0 ١1 ٢2 ٣3 ٤4 ٥5 ٦6 ٧7 ٨8 ٩9 ٱا کك ڪك ہه یي ەه ۰0 ۱1 ۲2 ۳3 ۴4 ۵5 ۶6 ۷7 ۸8 ۹9 ߀0 ߁1 ߂2 ߃3 ߄4 ߅5 ߆6 ߇7 ߈8 ߉9 ०0 १1 २2 ३3 ४4 ५5 ६6 ७7 ८8 ९9 ০0 ১1 ২2 ৩3 ৪4 ৫5 ৬6 ৭7 ৮8 ৯9 ੦0 ੧1 ੨2 ੩3 ੪4 ੫5 ੬6 ੭7 ੮8 ੯9 ૦0 ૧1 ૨2 ૩3 ૪4 ૫5 ૬6 ૭7 ૮8 ૯9 ୦0 ୧1 ୨2 ୩3 ୪4 ୫5 ୬6 ୭7 ୮8 ୯9 ௦0 ௧1 ௨2 ௩3 ௪4 ௫5 ௬6 ௭7 ௮8 ௯9 ౦0 ౧1 ౨2 ౩3 ౪4 ౫5 ౬6 ౭7 ౮8 ౯9 ೦0 ೧1 ೨2 ೩3 ೪4 ೫5 ೬6 ೭7 ೮8 ೯9 ൦0 ൧1 ൨2 ൩3 ൪4 ൫5 ൬6 ൭7 ൮8 ൯9 ෦0 ෧1 ෨2 ෩3 ෪4 ෫5 ෬6 ෭7 ෮8 ෯9 ๐0 ๑1 ๒2 ๓3 ๔4 ๕5 ๖6 ๗7 ๘8 ๙9 ໐0 ໑1 ໒2 ໓3 ໔4 ໕5 ໖6 ໗7 ໘8 ໙9 ༠0 ༡1 ༢2 ༣3 ༤4 ༥5 ༦6 ༧7 ༨8 ༩9 ၀0 ၁1 ၂2 ၃3 ၄4 ၅5 ၆6 ၇7 ၈8 ၉9 ႐0 ႑1 ႒2 ႓3 ႔4 ႕5 ႖6 ႗7 ႘8 ႙9 ᎠᎠ ᎡᎡ ᎢᎢ ᎣᎣ ᎤᎤ ᎥᎥ ᎦᎦ ᎧᎧ ᎨᎨ ᎩᎩ ᎪᎪ ᎫᎫ ᎬᎬ ᎭᎭ ᎮᎮ ᎯᎯ ᎰᎰ ᎱᎱ ᎲᎲ ᎳᎳ ᎴᎴ ᎵᎵ ᎶᎶ ᎷᎷ ᎸᎸ ᎹᎹ ᎺᎺ ᎻᎻ ᎼᎼ ᎽᎽ ᎾᎾ ᎿᎿ ᏀᏀ ᏁᏁ ᏂᏂ ᏃᏃ ᏄᏄ ᏅᏅ ᏆᏆ ᏇᏇ ᏈᏈ ᏉᏉ ᏊᏊ ᏋᏋ ᏌᏌ ᏍᏍ ᏎᏎ ᏏᏏ ᏐᏐ ᏑᏑ ᏒᏒ ᏓᏓ ᏔᏔ ᏕᏕ ᏖᏖ ᏗᏗ ᏘᏘ ᏙᏙ ᏚᏚ ᏛᏛ ᏜᏜ ᏝᏝ ᏞᏞ ᏟᏟ ᏠᏠ ᏡᏡ ᏢᏢ ᏣᏣ ᏤᏤ ᏥᏥ ᏦᏦ ᏧᏧ ᏨᏨ ᏩᏩ ᏪᏪ ᏫᏫ ᏬᏬ ᏭᏭ ᏮᏮ ᏯᏯ ᏰᏰ ᏱᏱ ᏲᏲ ᏳᏳ ᏴᏴ ᏵᏵ ᏸᏰ ᏹᏱ ᏺᏲ ᏻᏳ ᏼᏴ ᏽᏵ ០0 ១1 ២2 ៣3 ៤4 ៥5 ៦6 ៧7 ៨8 ៩9 ᠐0 ᠑1 ᠒2 ᠓3 ᠔4 ᠕5 ᠖6 ᠗7 ᠘8 ᠙9 ᥆0 ᥇1 ᥈2 ᥉3 ᥊4 ᥋5 ᥌6 ᥍7 ᥎8 ᥏9 ᧐0 ᧑1 ᧒2 ᧓3 ᧔4 ᧕5 ᧖6 ᧗7 ᧘8 ᧙9 ᪀0 ᪁1 ᪂2 ᪃3 ᪄4 ᪅5 ᪆6 ᪇7 ᪈8 ᪉9 ᪐0 ᪑1 ᪒2 ᪓3 ᪔4 ᪕5 ᪖6 ᪗7 ᪘8 ᪙9 ᭐0 ᭑1 ᭒2 ᭓3 ᭔4 ᭕5 ᭖6 ᭗7 ᭘8 ᭙9 ᮰0 ᮱1 ᮲2 ᮳3 ᮴4 ᮵5 ᮶6 ᮷7 ᮸8 ᮹9 ᱀0 ᱁1 ᱂2 ᱃3 ᱄4 ᱅5 ᱆6 ᱇7 ᱈8 ᱉9 ᱐0 ᱑1 ᱒2 ᱓3 ᱔4 ᱕5 ᱖6 ᱗7 ᱘8 ᱙9 ᲀв ᲁд ᲂо ᲃс ᲄт ᲅт ᲆъ ᲇѣ ᲈꙋ ᵬb ᵭd ᵮf ᵯm ᵰn ᵱp ᵲr ᵳr ᵴs ᵵt ᵶz ᵺth ᵽp ᶀb ᶁd ᶂf ᶃg ᶄk ᶅl ᶆm ᶇn ᶈp ᶉr ᶊs ᶌv ᶍx ᶎz ᶏa ᶑd ᶒe ᶖi ᶙu ẞss Ỿy ỿy Ⱡl ⱡl Ɫl Ᵽp Ɽr ⱥa ⱦt Ⱨh ⱨh Ⱪk ⱪk Ⱬz ⱬz Ɱm ⱱv Ⱳw ⱳw ⱴv ⱸe ⱺo Ȿs Ɀz ꘠0 ꘡1 ꘢2 ꘣3 ꘤4 ꘥5 ꘦6 ꘧7 ꘨8 ꘩9 Ꜻav ꜻav Ꝁk ꝁk Ꝃk ꝃk Ꝅk ꝅk Ꝉl ꝉl Ꝋo ꝋo Ꝍo ꝍo Ꝑp ꝑp Ꝓp ꝓp Ꝕp ꝕp Ꝗq ꝗq Ꝙq ꝙq Ꝟv ꝟv ꞎl Ꞑn ꞑn Ꞓc ꞓc ꞔc ꞕh Ꞗb ꞗb Ꞙf ꞙf Ꞡg ꞡg Ꞣk ꞣk Ꞥn ꞥn Ꞧr ꞧr Ꞩs ꞩs Ɦh Ɬl Ʝj Ꞹu ꞹu Ꞔc Ʂs Ᶎz Ꟈd ꟈd Ꟊs ꟊs ꣐0 ꣑1 ꣒2 ꣓3 ꣔4 ꣕5 ꣖6 ꣗7 ꣘8 ꣙9 ꤀0 ꤁1 ꤂2 ꤃3 ꤄4 ꤅5 ꤆6 ꤇7 ꤈8 ꤉9 ꧐0 ꧑1 ꧒2 ꧓3 ꧔4 ꧕5 ꧖6 ꧗7 ꧘8 ꧙9 ꧰0 ꧱1 ꧲2 ꧳3 ꧴4 ꧵5 ꧶6 ꧷7 ꧸8 ꧹9 ꩐0 ꩑1 ꩒2 ꩓3 ꩔4 ꩕5 ꩖6 ꩗7 ꩘8 ꩙9 ꬴe ꬷl ꬸl ꬹl ꬺm ꬻn ꭉr ꭎu ꭒu ꭖx ꭗx ꭘx ꭙx ꭚy ꭰᎠ ꭱᎡ ꭲᎢ ꭳᎣ ꭴᎤ ꭵᎥ ꭶᎦ ꭷᎧ ꭸᎨ ꭹᎩ ꭺᎪ ꭻᎫ ꭼᎬ ꭽᎭ ꭾᎮ ꭿᎯ ꮀᎰ ꮁᎱ ꮂᎲ ꮃᎳ ꮄᎴ ꮅᎵ ꮆᎶ ꮇᎷ ꮈᎸ ꮉᎹ ꮊᎺ ꮋᎻ ꮌᎼ ꮍᎽ ꮎᎾ ꮏᎿ ꮐᏀ ꮑᏁ ꮒᏂ ꮓᏃ ꮔᏄ ꮕᏅ ꮖᏆ ꮗᏇ ꮘᏈ ꮙᏉ ꮚᏊ ꮛᏋ ꮜᏌ ꮝᏍ ꮞᏎ ꮟᏏ ꮠᏐ ꮡᏑ ꮢᏒ ꮣᏓ ꮤᏔ ꮥᏕ ꮦᏖ ꮧᏗ ꮨᏘ ꮩᏙ ꮪᏚ ꮫᏛ ꮬᏜ ꮭᏝ ꮮᏞ ꮯᏟ ꮰᏠ ꮱᏡ ꮲᏢ ꮳᏣ ꮴᏤ ꮵᏥ ꮶᏦ ꮷᏧ ꮸᏨ ꮹᏩ ꮺᏪ ꮻᏫ ꮼᏬ ꮽᏭ ꮾᏮ ꮿᏯ ꯰0 ꯱1 ꯲2 ꯳3 ꯴4 ꯵5 ꯶6 ꯷7 ꯸8 ꯹9 𐒠0 𐒡1 𐒢2 𐒣3 𐒤4 𐒥5 𐒦6 𐒧7 𐒨8 𐒩9 𐴰0 𐴱1 𐴲2 𐴳3 𐴴4 𐴵5 𐴶6 𐴷7 𐴸8 𐴹9 𑁦0 𑁧1 𑁨2 𑁩3 𑁪4 𑁫5 𑁬6 𑁭7 𑁮8 𑁯9 𑃰0 𑃱1 𑃲2 𑃳3 𑃴4 𑃵5 𑃶6 𑃷7 𑃸8 𑃹9 𑄶0 𑄷1 𑄸2 𑄹3 𑄺4 𑄻5 𑄼6 𑄽7 𑄾8 𑄿9 𑇐0 𑇑1 𑇒2 𑇓3 𑇔4 𑇕5 𑇖6 𑇗7 𑇘8 𑇙9 𑋰0 𑋱1 𑋲2 𑋳3 𑋴4 𑋵5 𑋶6 𑋷7 𑋸8 𑋹9 𑑐0 𑑑1 𑑒2 𑑓3 𑑔4 𑑕5 𑑖6 𑑗7 𑑘8 𑑙9 𑓐0 𑓑1 𑓒2 𑓓3 𑓔4 𑓕5 𑓖6 𑓗7 𑓘8 𑓙9 𑙐0 𑙑1 𑙒2 𑙓3 𑙔4 𑙕5 𑙖6 𑙗7 𑙘8 𑙙9 𑛀0 𑛁1 𑛂2 𑛃3 𑛄4 𑛅5 𑛆6 𑛇7 𑛈8 𑛉9 𑜰0 𑜱1 𑜲2 𑜳3 𑜴4 𑜵5 𑜶6 𑜷7 𑜸8 𑜹9 𑣠0 𑣡1 𑣢2 𑣣3 𑣤4 𑣥5 𑣦6 𑣧7 𑣨8 𑣩9 𑥐0 𑥑1 𑥒2 𑥓3 𑥔4 𑥕5 𑥖6 𑥗7 𑥘8 𑥙9 𑱐0 𑱑1 𑱒2 𑱓3 𑱔4 𑱕5 𑱖6 𑱗7 𑱘8 𑱙9 𑵐0 𑵑1 𑵒2 𑵓3 𑵔4 𑵕5 𑵖6 𑵗7 𑵘8 𑵙9 𑶠0 𑶡1 𑶢2 𑶣3 𑶤4 𑶥5 𑶦6 𑶧7 𑶨8 𑶩9 𖩠0 𖩡1 𖩢2 𖩣3 𖩤4 𖩥5 𖩦6 𖩧7 𖩨8 𖩩9 𖫀0 𖫁1 𖫂2 𖫃3 𖫄4 𖫅5 𖫆6 𖫇7 𖫈8 𖫉9 𖭐0 𖭑1 𖭒2 𖭓3 𖭔4 𖭕5 𖭖6 𖭗7 𖭘8 𖭙9 𝼉t 𝼑l 𝼓l 𝼖r 𝼚i 𝼛o 𝼝c 𝼞s 𞅀0 𞅁1 𞅂2 𞅃3 𞅄4 𞅅5 𞅆6 𞅇7 𞅈8 𞅉9 𞋰0 𞋱1 𞋲2 𞋳3 𞋴4 𞋵5 𞋶6 𞋷7 𞋸8 𞋹9 𞥐0 𞥑1 𞥒2 𞥓3 𞥔4 𞥕5 𞥖6 𞥗7 𞥘8 𞥙9"
      .split(" ")
      .map((each) => {
        const [from, ...to] = each;
        return [from, to.join("")];
      }),
  );

  // Unlike in Unicode's data, these symbols are no words.
  const BLANK = /[\u2800\ufffc\ufffd]/u;

  const rule = (character) => {
    const other = OTHERS.get(character);
    if (other !== undefined) return other;
    if (/[\p{L}\p{N}\p{M}]/u.test(character)) return character.toLowerCase();
    return /\p{So}/u.test(character) && !BLANK.test(character) ? ` ${character} ` : " ";
  };

  const rules = new Map();
  const mapped = (character) => {
    if (!rules.has(character)) rules.set(character, rule(character));
    return rules.get(character);
  };

  const spaced = (text) => {
    let made = "";
    for (const each of text.replace(DROPPED, "").normalize("NFKD").replace(DROPPED, "")) made += mapped(each);
    return made.normalize("NFC");
  };

  const folded = (text) => spaced(text).replace(/ +/g, " ").trim();

  const continues = new Map();
  const belongs = (character) => {
    if (!continues.has(character)) {
      continues.set(character, CONTINUES.test(character.normalize("NFKD")) || spaced(character) === "");
    }
    return continues.get(character);
  };

  // The folded text, with a space for each sign between words, and for each of its places the begin and the end in
  // `text` of the character that it came from, with its marks.
  const places = (text) => {
    if (/^[\0-\x7f]*$/.test(text)) {
      const plain = text.toLowerCase().replace(/[^0-9a-z]/g, " ");
      return { plain, begin: (at) => at, end: (at) => at + 1 };
    }
    let plain = "";
    const begins = [];
    const ends = [];
    const add = (begin, end) => {
      const made = spaced(text.slice(begin, end));
      for (let place = 0; place < made.length; place += 1) {
        begins.push(begin);
        ends.push(end);
      }
      plain += made;
    };
    let begin = 0;
    let place = 0;
    let last = "";
    for (const each of text) {
      if (place && !belongs(each) && !(last === "\u200d" && /\p{So}/u.test(each))) {
        add(begin, place);
        begin = place;
      }
      place += each.length;
      last = each;
    }
    add(begin, place);
    return { plain, begin: (at) => begins[at], end: (at) => ends[at] };
  };

  return { folded, places };
})();
