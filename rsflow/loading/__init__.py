"""The loading wing: a snapshot's samples into a training loop, with torch and without Ray or anything that builds."""
