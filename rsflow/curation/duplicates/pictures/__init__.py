"""What identifies a picture: signatures, keypoints, embeddings, and how well two pictures agree."""
