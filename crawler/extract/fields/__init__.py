"""The fields of an item: title, times, people, and what is made of them."""
