"""Connections that come through a load balancer, which says by the PROXY protocol for whom it speaks."""
