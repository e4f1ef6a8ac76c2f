// Finding a name by what someone types: in Latin or Devanagari letters, with a slip or two.

const CONSONANTS = {
  क: "k",
  ख: "kh",
  ग: "g",
  घ: "gh",
  ङ: "n",
  च: "ch",
  छ: "chh",
  ज: "j",
  झ: "jh",
  ञ: "n",
  ट: "t",
  ठ: "th",
  ड: "d",
  ढ: "dh",
  ण: "n",
  त: "t",
  थ: "th",
  द: "d",
  ध: "dh",
  न: "n",
  प: "p",
  फ: "ph",
  ब: "b",
  भ: "bh",
  म: "m",
  य: "y",
  र: "r",
  ल: "l",
  ळ: "l",
  व: "v",
  श: "sh",
  ष: "sh",
  स: "s",
  ह: "h",
};
const VOWELS = { अ: "a", आ: "a", इ: "i", ई: "i", उ: "u", ऊ: "u", ऋ: "ri", ए: "e", ऐ: "ai", ओ: "o", औ: "au", ऑ: "o" };
const SIGNS = {
  "ा": "a",
  "ि": "i",
  "ी": "i",
  "ु": "u",
  "ू": "u",
  "ृ": "ri",
  "े": "e",
  "ै": "ai",
  "ो": "o",
  "ौ": "au",
  "ॉ": "o",
  "्": "",
};

function latin(text) {
  const letters = [...text.normalize("NFD").replace(/\u093c/g, "")];
  return letters
    .map((letter, i) => {
      if (letter in CONSONANTS) {
        const next = letters[i + 1];
        return CONSONANTS[letter] + (next === undefined || next in SIGNS || /\s/.test(next) ? "" : "a");
      }
      return VOWELS[letter] ?? SIGNS[letter] ?? (letter === "ं" || letter === "ँ" ? "n" : letter);
    })
    .join("");
}

// A name without what people spell differently: Nasik and Nashik, Vijayawada and Bijayavada's double letters.
export function key(text) {
  return latin(text)
    .normalize("NFD")
    .toLowerCase()
    .replace(/\p{Diacritic}/gu, "")
    .replace(/ee|ea/g, "i")
    .replace(/oo|ou/g, "u")
    .replace(/w/g, "v")
    .replace(/ay/g, "ai")
    .replace(/z/g, "j")
    .replace(/ph/g, "f")
    .replace(/([bcdgjkpst])h/g, "$1")
    .replace(/(\p{L})\1+/gu, "$1")
    .replace(/[^\p{L}\d ]/gu, "")
    .trim();
}

// Least number of slips (a letter more, less, other, or two exchanged) between `asked` and a beginning of `name`.
function slips(asked, name) {
  let before = [];
  let row = Array.from({ length: name.length + 1 }, (_value, j) => j);
  for (let i = 1; i <= asked.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= name.length; j += 1) {
      next[j] = Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (asked[i - 1] === name[j - 1] ? 0 : 1));
      if (i > 1 && j > 1 && asked[i - 1] === name[j - 2] && asked[i - 2] === name[j - 1])
        next[j] = Math.min(next[j], before[j - 2] + 1);
    }
    before = row;
    row = next;
  }
  return Math.min(...row);
}

// 0: begins so; 1: a word in it does; 2: it holds it; more: that many slips; Infinity: something else.
function distance(asked, name) {
  if (name.startsWith(asked)) return 0;
  if (name.includes(` ${asked}`)) return 1;
  if (name.includes(asked)) return 2;
  const allowed = asked.length < 4 ? 0 : asked.length < 7 ? 1 : 2;
  const found = slips(asked, name);
  return found <= allowed ? 2 + found : Infinity;
}

// Names that people still use for districts and states; the map carries the present ones.
export const OLD_NAMES = {
  Ahilyanagar: ["Ahmednagar"],
  Alappuzha: ["Alleppey"],
  Ayodhya: ["Faizabad"],
  Ballari: ["Bellary"],
  Belagavi: ["Belgaum"],
  "Bengaluru Rural": ["Bangalore Rural"],
  "Bengaluru Urban": ["Bangalore", "Bangalore Urban"],
  Chennai: ["Madras"],
  "Chhatrapati Sambhajinagar": ["Aurangabad"],
  Chikkamagaluru: ["Chikmagalur"],
  "Dakshina Kannada": ["Mangalore", "Mangaluru", "South Canara"],
  Dharashiv: ["Osmanabad"],
  Dharwad: ["Hubli"],
  Ernakulam: ["Cochin", "Kochi"],
  Gurugram: ["Gurgaon"],
  Kalaburagi: ["Gulbarga"],
  "Kamrup Metropolitan": ["Guwahati", "Gauhati"],
  Kannur: ["Cannanore"],
  "Kanpur Nagar": ["Cawnpore"],
  Kollam: ["Quilon"],
  Kolkata: ["Calcutta"],
  Kozhikode: ["Calicut"],
  "Mumbai City": ["Bombay"],
  "Mumbai Suburban": ["Bombay"],
  Mysuru: ["Mysore"],
  Narmadapuram: ["Hoshangabad"],
  Nuh: ["Mewat"],
  Palakkad: ["Palghat"],
  Prayagraj: ["Allahabad"],
  Pune: ["Poona"],
  "Sahibzada Ajit Singh Nagar": ["Mohali"],
  Shivamogga: ["Shimoga"],
  Thiruvananthapuram: ["Trivandrum"],
  Thoothukudi: ["Tuticorin"],
  Thrissur: ["Trichur"],
  Tiruchirappalli: ["Trichy", "Trichinopoly"],
  Tumakuru: ["Tumkur"],
  Vadodara: ["Baroda"],
  Varanasi: ["Benares", "Banaras"],
  Vijayapura: ["Bijapur"],
  Visakhapatnam: ["Vizag"],
  "YSR Kadapa": ["Cuddapah"],
  Odisha: ["Orissa"],
  Puducherry: ["Pondicherry"],
  Uttarakhand: ["Uttaranchal"],
  "Tamil Nadu": ["Madras State"],
};

// Numbers of the best entries, each a list of keys of one thing.
export function find(text, entries, most) {
  const asked = key(text);
  if (!asked) return [];
  return entries
    .map((names, row) => ({ row, rank: Math.min(...names.map((name) => distance(asked, name))), length: names[0].length }))
    .filter((entry) => entry.rank < Infinity)
    .sort((a, b) => a.rank - b.rank || a.length - b.length)
    .slice(0, most)
    .map((entry) => entry.row);
}
