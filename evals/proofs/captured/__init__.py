"""captured-model: a model that obeys whatever it is told in records and questions changes nothing but the order."""
