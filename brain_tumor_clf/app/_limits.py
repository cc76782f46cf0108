"""What may be uploaded, so that no visitor can fill the memory."""

MAX_FILE_MB = 32  # an uncompressed 16-bit slice of 2048x2048 pixels has 8
MAX_FILES = 200
MAX_TOTAL_MB = 512
MAX_PIXELS = 25_000_000  # scanners make slices of 0.03 to 4 million
BYTES_A_MB = 2**20
# Streamlit forgets a session, with all its files, so long after the page was closed.
FORGET_AFTER_SECONDS = 60
