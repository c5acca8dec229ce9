"""Facts that plans rest on: accelerators, models, weight formats, engine versions, techniques and list prices.

Data files in ``data/`` carry a source and a date for every entry; the modules beside them load and check them.
"""
