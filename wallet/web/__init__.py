"""The wallet's pages."""
