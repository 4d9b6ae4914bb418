"""replay: answers come about again from what was sealed of them."""
