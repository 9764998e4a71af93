"""The council's report as a page: words, charts and tables; rendering only."""
