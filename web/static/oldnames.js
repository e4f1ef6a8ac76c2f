// Names that people still use for districts and states; the map carries the present ones.

export const OLD_NAMES = {
  "Ahilyanagar": ["Ahmednagar"], "Alappuzha": ["Alleppey"], "Ayodhya": ["Faizabad"], "Ballari": ["Bellary"], "Belagavi": ["Belgaum"],
  "Bengaluru Rural": ["Bangalore Rural"], "Bengaluru Urban": ["Bangalore", "Bangalore Urban"], "Chennai": ["Madras"],
  "Chhatrapati Sambhajinagar": ["Aurangabad"], "Chikkamagaluru": ["Chikmagalur"], "Dakshina Kannada": ["Mangalore", "Mangaluru", "South Canara"],
  "Dharashiv": ["Osmanabad"], "Dharwad": ["Hubli"], "Ernakulam": ["Cochin", "Kochi"], "Gurugram": ["Gurgaon"], "Kalaburagi": ["Gulbarga"],
  "Kamrup Metropolitan": ["Guwahati", "Gauhati"], "Kannur": ["Cannanore"], "Kanpur Nagar": ["Cawnpore"], "Kollam": ["Quilon"], "Kolkata": ["Calcutta"],
  "Kozhikode": ["Calicut"], "Mumbai City": ["Bombay"], "Mumbai Suburban": ["Bombay"], "Mysuru": ["Mysore"], "Narmadapuram": ["Hoshangabad"],
  "Nuh": ["Mewat"], "Palakkad": ["Palghat"], "Prayagraj": ["Allahabad"], "Pune": ["Poona"], "Sahibzada Ajit Singh Nagar": ["Mohali"],
  "Shivamogga": ["Shimoga"], "Thiruvananthapuram": ["Trivandrum"], "Thoothukudi": ["Tuticorin"], "Thrissur": ["Trichur"],
  "Tiruchirappalli": ["Trichy", "Trichinopoly"], "Tumakuru": ["Tumkur"], "Vadodara": ["Baroda"], "Varanasi": ["Benares", "Banaras"],
  "Vijayapura": ["Bijapur"], "Visakhapatnam": ["Vizag"], "YSR Kadapa": ["Cuddapah"],
  "Odisha": ["Orissa"], "Puducherry": ["Pondicherry"], "Uttarakhand": ["Uttaranchal"], "Tamil Nadu": ["Madras State"],
};
