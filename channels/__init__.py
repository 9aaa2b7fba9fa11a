"""How events come in: sources, deliveries, providers. Imports `customers`, never the other way round."""
