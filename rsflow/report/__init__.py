"""Reports for people: contact sheets, dataset cards, what a build says at its end. Pure: facts in, picture or text out."""
