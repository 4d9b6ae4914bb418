"""Odoo 14 to 19."""
