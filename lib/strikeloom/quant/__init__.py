"""Array formulas: numbers in, numbers out. Time is years, prices are rupees, rates fractions."""
