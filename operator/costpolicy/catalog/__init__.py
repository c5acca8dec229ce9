"""Facts that plans rest on: accelerators, models, weight formats, engine versions, techniques, list prices.

Data files in ``data/`` carry a source and a date for every entry; the modules here load and check them.
"""
