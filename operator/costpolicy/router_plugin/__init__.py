"""What runs inside the router's own process: standard library only, and nothing of this project.

The router mounts this folder from a ConfigMap; whatever it imported would have to be in the router's image.
"""
