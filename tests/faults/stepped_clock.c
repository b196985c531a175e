/* A clock of one's own for a process: preloaded, it adds to the machine's time of day the seconds
   (int64, of the machine's byte order) that the file $STEPPED_CLOCK holds at that moment.
   Spans (CLOCK_MONOTONIC) are left alone, as they are when an operator or NTP sets a clock; so is
   who waits until a time of day (pthread_cond_timedwait, sem_timedwait), as Python does not. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static volatile const int64_t *ahead;
static int (*machine)(clockid_t, struct timespec *);

__attribute__((constructor)) static void begin(void) {
  machine = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
  const char *name = getenv("STEPPED_CLOCK");
  int file = name ? open(name, O_RDONLY | O_CLOEXEC) : -1;
  void *mapped = file < 0 ? MAP_FAILED : mmap(NULL, sizeof *ahead, PROT_READ, MAP_SHARED, file, 0);
  if (mapped == MAP_FAILED) abort();
  ahead = mapped;
  close(file);
}

int clock_gettime(clockid_t which, struct timespec *told) {
  if (!machine) begin(); /* asked by another library's constructor */
  int failed = machine(which, told);
  if (!failed && (which == CLOCK_REALTIME || which == CLOCK_REALTIME_COARSE)) told->tv_sec += *ahead;
  return failed;
}

int gettimeofday(struct timeval *restrict told, void *restrict zone) {
  (void)zone;
  struct timespec now;
  if (clock_gettime(CLOCK_REALTIME, &now)) return -1;
  told->tv_sec = now.tv_sec;
  told->tv_usec = now.tv_nsec / 1000;
  return 0;
}

time_t time(time_t *told) {
  struct timespec now;
  if (clock_gettime(CLOCK_REALTIME_COARSE, &now)) return -1;
  if (told) *told = now.tv_sec;
  return now.tv_sec;
}
