// What azd's environment says (`azd env set NAME VALUE`); everything else has its default in main.bicep.
using 'main.bicep'

param environmentName = readEnvironmentVariable('AZURE_ENV_NAME', 'dev')
param location = readEnvironmentVariable('AZURE_LOCATION', 'eastus')
param principalId = readEnvironmentVariable('AZURE_PRINCIPAL_ID', '')
param principalType = readEnvironmentVariable('AZURE_PRINCIPAL_TYPE', 'User')
param workerPlace = readEnvironmentVariable('SDXL_WORKER_PLACE', 'container-apps')
param gpuProfile = readEnvironmentVariable('SDXL_GPU_PROFILE', 'Consumption-GPU-NC24-A100')
param gpuMachine = readEnvironmentVariable('SDXL_GPU_MACHINE', 'Standard_NC24ads_A100_v4')
param gpuSpot = bool(readEnvironmentVariable('SDXL_GPU_SPOT', 'false'))
param gpuPricePerHour = readEnvironmentVariable('SDXL_GPU_PRICE_PER_HOUR', '')
param maximumWorkers = int(readEnvironmentVariable('SDXL_MAXIMUM_WORKERS', '2'))
// azd sets it after it has pushed the image, so that the next provision keeps it.
param workerImage = readEnvironmentVariable('SERVICE_WORKER_IMAGE_NAME', '')
param durableTaskScheduler = bool(readEnvironmentVariable('SDXL_DURABLE_TASK_SCHEDULER', 'false'))
param alwaysReady = bool(readEnvironmentVariable('SDXL_ALWAYS_READY', 'false'))
param ownerTokenSha256 = readEnvironmentVariable('SDXL_OWNER_TOKEN_SHA256', '')
param defaultBase = readEnvironmentVariable('SDXL_DEFAULT_BASE', 'sdxl')
param alertEmail = readEnvironmentVariable('SDXL_ALERT_EMAIL', '')
param budgetAmount = int(readEnvironmentVariable('SDXL_BUDGET', '0'))
param budgetStart = readEnvironmentVariable('SDXL_BUDGET_START', '')
