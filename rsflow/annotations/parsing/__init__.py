"""What annotation files of several formats have in common: text, XML, shapes, masks, oriented boxes."""
