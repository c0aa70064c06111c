// Writes a line per kernel that a process starts on a GPU: start and duration in ns, grid, threads of a block, name. Kernels of CUDA graphs are among them.
//   gcc -shared -fPIC -O2 kernel-times.c -o libkernel-times.so -I<CUDA>/include -lcupti
//   KERNEL_TIMES=times.tsv CUDA_INJECTION64_PATH=$PWD/libkernel-times.so <program>
#include <cupti.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

static FILE *out;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void CUPTIAPI give(uint8_t **buffer, size_t *size, size_t *records)
{
    *size = 8u << 20;
    *buffer = aligned_alloc(8, *size);
    *records = 0;
}

static void CUPTIAPI take(CUcontext context, uint32_t stream, uint8_t *buffer, size_t size, size_t valid)
{
    CUpti_Activity *record = NULL;
    pthread_mutex_lock(&lock);
    while (cuptiActivityGetNextRecord(buffer, valid, &record) == CUPTI_SUCCESS)
    {
        if (record->kind != CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL)
            continue;
        CUpti_ActivityKernel9 *kernel = (void *)record;
        fprintf(out, "%llu\t%llu\t%d,%d,%d\t%d\t%s\n", (unsigned long long)kernel->start, (unsigned long long)(kernel->end - kernel->start),
            kernel->gridX, kernel->gridY, kernel->gridZ, kernel->blockX * kernel->blockY * kernel->blockZ, kernel->name ? kernel->name : "?");
    }
    pthread_mutex_unlock(&lock);
    free(buffer);
}

static void finish(void)
{
    cuptiActivityFlushAll(1);
    fflush(out);
}

int InitializeInjection(void)
{
    const char *path = getenv("KERNEL_TIMES");
    if (!(out = fopen(path ? path : "kernel-times.tsv", "w")))
        return 0;
    cuptiActivityRegisterCallbacks(give, take);
    cuptiActivityEnable(CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL);
    atexit(finish);
    return 1;
}
